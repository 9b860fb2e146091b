import Access
import FlagCache
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension SegmentRoutes {
    /// `GET /api/segments`
    static func list(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let limit = try request.limit()
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let cursor = request.cursor
            let page = try administration.repository.segments(in: environment, limit: limit, cursor: cursor)
            let invalid = cursor == nil ? try administration.repository.invalidSegments(in: environment) : []
            var segments: [JSONValue] = []
            for segment in page.records {
                segments.append(segment.json(keyCount: try keyCount(of: segment, administration)))
            }
            return .respond(.page("segments", segments, of: page, invalid: invalid.map { $0.json(naming: "name") }))
        }
    }

    /// `POST /api/segments`
    static func create(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let operation = try request.operation(.createSegment)
        let scope = try request.scope(of: operation, administration)
        return .write(operation, scope) { written in
            guard case .segment(let segment, _) = written else { return HTTPResponse(status: .noContent) }
            let path = "/api/segments/\(PercentEncoding.encodedSegment(segment.name))"
            let place = administration.path(path, in: scope.environment)
            return .segment(segment, administration, status: .created, fields: [("Location", place)])
        }
    }

    /// `GET /api/segments/{name}`
    static func get(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let segment = try read(try request.segmentName(), in: environment, administration)
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let count = try keyCount(of: segment, administration)
            let tag = segment.entityTag(keyCount: count)
            return request.isKnown(tag) ? .notModified(tag) : .respond(.segment(segment, keyCount: count))
        }
    }

    /// `GET /api/segments/{name}/history`
    static func history(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let name = try request.segmentName()
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let entries = try administration.repository.history(ofSegment: name, in: environment)
            return .respond(
                try .history(entries) { () throws(FlagStoreError) in
                    try administration.repository.requireSegment(name, in: environment)
                })
        }
    }

    /// `PUT /api/segments/{name}`
    static func replace(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.replaceSegment, request, administration)
    }

    /// `PATCH /api/segments/{name}`
    static func patch(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.patchSegment, request, administration)
    }

    /// `DELETE /api/segments/{name}`
    static func delete(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.deleteSegment, request, administration)
    }

    /// `POST /api/segments/{name}/keys`
    static func editKeys(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome
    {
        try change(.editSegmentKeys, request, administration)
    }

    /// `PUT /api/segments/{name}/keys`
    static func replaceKeys(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        try change(.replaceSegmentKeys, request, administration)
    }

    private static func change(
        _ kind: FlagOperation.Kind, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let name = try request.segmentName()
        var operation = try request.operation(kind, of: name)
        operation.expectedVersion = try expectedVersion(request, name, in: environment, administration)
        return .write(operation, try request.scope(of: operation, administration)) { written in
            guard case .segment(let segment, let count) = written else { return HTTPResponse(status: .noContent) }
            return count.map { .segment(segment, keyCount: $0) } ?? .segment(segment, administration)
        }
    }

    /// `GET /api/segments/{name}/uses`
    static func uses(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let name = try request.segmentName()
        let uses = try administration.reading(in: environment) { () throws(FlagStoreError) in
            try administration.repository.requireSegment(name, in: environment)
            return try administration.repository.uses(ofSegment: name, in: environment)
        }
        return .respond(
            .json([
                "name": .string(name), "flags": .array(uses.flags.map { .string($0) }),
                "segments": .array(uses.segments.map { .string($0) }),
            ]))
    }

    /// `GET /api/segments/{name}/keys`
    static func keys(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let limit = try request.limit()
        let name = try request.segmentName()
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            try administration.repository.requireSegment(name, in: environment)
            let page = try administration.repository.keys(
                ofSegment: name, in: environment, limit: limit, cursor: request.cursor)
            return .respond(.page("keys", page.records.map { .string($0) }, of: page))
        }
    }

    // MARK: - Parts

    private static func keyCount(of segment: SegmentRecord, _ administration: Administration) throws(FlagStoreError)
        -> Int
    {
        try administration.feed.keys(ofSegment: segment.name, in: segment.environment).count
    }

    /// The segment of a name, or the problem that there is none.
    private static func read(
        _ name: String, in environment: Environment, _ administration: Administration
    ) throws(Problem) -> SegmentRecord {
        do throws(FlagStoreError) { return try administration.repository.segment(name, in: environment) } catch {
            if case .invalid(let issues) = error { throw .invalidItem("segment \(name)", issues) }
            throw Problem(error, in: environment)
        }
    }

    /// The version that `If-Match` asks for: nil without the field or with `*`, which every segment satisfies.
    ///
    /// - Throws: 412 when the segment is at a version that the field does not name.
    private static func expectedVersion(
        _ request: AdministrationRequest, _ name: String, in environment: Environment, _ administration: Administration
    ) throws(Problem) -> Int64? {
        guard request.namesVersion else { return nil }
        let segment: SegmentRecord
        do throws(Problem) { segment = try read(name, in: environment, administration) } catch {
            throw error.code == .invalidItem ? .unmatchable("segment \(name)") : error
        }
        let tag = try administration.reading(in: environment) { () throws(FlagStoreError) in
            segment.entityTag(keyCount: try keyCount(of: segment, administration))
        }
        try request.requireVersion(of: "segment", tag)
        return segment.version
    }
}

extension HTTPResponse {
    /// A segment as a response, with its entity tag.
    fileprivate static func segment(
        _ segment: SegmentRecord, keyCount: Int, status: HTTPStatus = .ok,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        let tag = segment.entityTag(keyCount: keyCount)
        return .json(segment.json(keyCount: keyCount), status: status, fields: [("ETag", tag)] + fields)
    }

    /// The same with the number of keys that the caches know.
    fileprivate static func segment(
        _ segment: SegmentRecord, _ administration: Administration, status: HTTPStatus = .ok,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        // What was just stored is answered also when the keys cannot be counted.
        let keys = try? administration.feed.keys(ofSegment: segment.name, in: segment.environment)
        return .segment(segment, keyCount: keys?.count ?? 0, status: status, fields: fields)
    }
}
