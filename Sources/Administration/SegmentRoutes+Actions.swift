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
        let stored = try request.stored(administration)
        let limit = try request.limit()
        return try stored.read { (stored) throws(FlagStoreError) in
            let cursor = request.cursor
            let page = try stored.segments(limit: limit, cursor: cursor)
            let invalid = cursor == nil ? try stored.invalidSegments() : []
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
        let stored = try request.stored(administration)
        let segment = try read(try request.segmentName(), in: stored)
        return try stored.read { (stored) throws(FlagStoreError) in
            let count = try keyCount(of: segment, administration)
            let tag = segment.entityTag(keyCount: count)
            return request.isKnown(tag) ? .notModified(tag) : .respond(.segment(segment, keyCount: count))
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

    /// Changes the segment in the path.
    static func change(
        _ kind: FlagOperation.Kind, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let name = try request.segmentName()
        var operation = try request.operation(kind, of: name)
        operation.expectedVersion = try expectedVersion(request, name, in: stored, administration)
        return .write(operation, try request.scope(of: operation, administration)) { written in
            guard case .segment(let segment, let count) = written else { return HTTPResponse(status: .noContent) }
            return count.map { .segment(segment, keyCount: $0) } ?? .segment(segment, administration)
        }
    }

    /// `GET /api/segments/{name}/uses`
    static func uses(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let name = try request.segmentName()
        let uses = try stored.read { (stored) throws(FlagStoreError) in
            try stored.requireSegment(name)
            return try stored.uses(ofSegment: name)
        }
        return .respond(
            .json([
                "name": .string(name), "flags": .array(uses.flags.map { .string($0) }),
                "segments": .array(uses.segments.map { .string($0) }),
            ]))
    }

    /// `GET /api/segments/{name}/keys`
    static func keys(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let limit = try request.limit()
        let name = try request.segmentName()
        return try stored.read { (stored) throws(FlagStoreError) in
            try stored.requireSegment(name)
            let page = try stored.keys(
                ofSegment: name, limit: limit, cursor: request.cursor)
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
        _ name: String, in stored: FlagReader
    ) throws(Problem) -> SegmentRecord {
        do throws(FlagStoreError) { return try stored.segment(name) } catch {
            if case .invalid(let issues) = error { throw .invalidItem("segment \(name)", issues) }
            throw Problem(error, in: stored.environment)
        }
    }

    /// The version that `If-Match` asks for: nil without the field or with `*`, which every segment satisfies.
    ///
    /// - Throws: 412 when the segment is at a version that the field does not name.
    private static func expectedVersion(
        _ request: AdministrationRequest, _ name: String, in stored: FlagReader, _ administration: Administration
    ) throws(Problem) -> Int64? {
        guard request.namesVersion else { return nil }
        let segment: SegmentRecord
        do throws(Problem) { segment = try read(name, in: stored) } catch {
            throw error.code == .invalidItem ? .unmatchable("segment \(name)") : error
        }
        let tag = try stored.read { (stored) throws(FlagStoreError) in
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
