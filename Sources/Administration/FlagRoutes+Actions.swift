import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension FlagRoutes {
    /// `GET /api/flags`
    static func list(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let query = FlagQuery(
            owner: try request.text("owner", .owner), expiresBefore: try request.time("expiresBefore"),
            tag: try request.text("tag", .tag), isArchived: try request.flag("archived"),
            limit: try request.limit(), cursor: request.cursor)
        return try stored.read { (stored) throws(FlagStoreError) in
            let page = try stored.flags(query)
            let killSwitch = try stored.killSwitchesOfFlags()
            let invalid = query.cursor == nil ? try stored.invalidFlags(query) : []
            let now = administration.now()
            return .respond(
                .page(
                    "flags", page.records.map { $0.json(at: now, killSwitch: killSwitch($0.key)) }, of: page,
                    invalid: invalid.map { $0.json(naming: "flagKey") }))
        }
    }

    /// `POST /api/flags`
    static func create(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let operation = try request.operation(.createFlag)
        let scope = try request.scope(of: operation, administration)
        return .write(operation, scope) { written in
            guard case .flag(let flag) = written else { return HTTPResponse(status: .noContent) }
            return .created(flag, in: scope, administration)
        }
    }

    /// `GET /api/flags/{flagKey}`
    static func get(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let (flag, killSwitch) = try read(try request.flagKey(), in: stored)
        let tag = flag.entityTag(killSwitch: killSwitch)
        return request.isKnown(tag) ? .notModified(tag) : .respond(.flag(flag, killSwitch, administration))
    }

    /// `PUT /api/flags/{flagKey}` and `PUT /api/flags/by-key/{flagKey}`
    static func replace(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.replaceFlag, request, administration)
    }

    /// `PATCH /api/flags/{flagKey}`
    static func patch(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.patchFlag, request, administration)
    }

    /// `DELETE /api/flags/{flagKey}`
    static func delete(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.deleteFlag, request, administration)
    }

    /// Changes the flag in the path.
    static func change(
        _ kind: FlagOperation.Kind, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let key = try request.flagKey()
        var operation = try request.operation(kind, of: key)
        operation.expectedVersion = try expectedVersion(request, key, in: stored)
        let scope = try request.scope(of: operation, administration)
        return .write(operation, scope) { written in
            guard case .flag(let flag) = written else { return HTTPResponse(status: .noContent) }
            return .written(flag, in: scope, administration)
        }
    }

    /// `GET /api/flags/{flagKey}/dependents`
    static func dependents(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        let stored = try request.stored(administration)
        let key = try request.flagKey()
        let dependents = try stored.read { (stored) throws(FlagStoreError) in
            try stored.requireFlag(key)
            return try stored.dependents(of: key)
        }
        let list = dependents.map { dependent -> JSONValue in
            ["flagKey": .string(dependent.flagKey), "variant": .string(dependent.variant)]
        }
        return .respond(.json(.object(["flagKey": .string(key), "dependents": .array(list)])))
    }

    /// The flag of a key with the kill switch that takes it away, or the problem that there is no flag.
    private static func read(
        _ key: String, in stored: FlagReader
    ) throws(Problem) -> (FlagRecord, KillSwitchRecord?) {
        do throws(FlagStoreError) {
            return (
                try stored.flag(key),
                try stored.killSwitch(of: key)
            )
        } catch {
            if case .invalid(let issues) = error { throw .invalidItem("flag \(key)", issues) }
            throw Problem(error, in: stored.environment)
        }
    }

    /// The version that `If-Match` asks for: nil without the field or with `*`, which the flag's existence satisfies. A
    /// kill switch that was set since the flag was read changes its tag and not the flag, and keeps nobody from
    /// changing it.
    ///
    /// - Throws: 412 when the flag is at a version that the field does not name.
    static func expectedVersion(
        _ request: AdministrationRequest, _ key: String, in stored: FlagReader
    ) throws(Problem) -> Int64? {
        guard request.namesVersion else { return nil }
        let (flag, killSwitch): (FlagRecord, KillSwitchRecord?)
        do throws(Problem) { (flag, killSwitch) = try read(key, in: stored) } catch {
            throw error.code == .invalidItem ? .unmatchable("flag \(key)") : error
        }
        let tag = flag.entityTag(killSwitch: killSwitch)
        try request.requireVersion(of: "flag", tag, or: killSwitch == nil ? nil : flag.entityTag())
        return flag.version
    }
}

extension HTTPResponse {
    /// A flag as a response, with its entity tag.
    fileprivate static func flag(
        _ flag: FlagRecord, _ killSwitch: KillSwitchRecord?, _ administration: Administration, status: HTTPStatus = .ok,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        .json(
            flag.json(at: administration.now(), killSwitch: killSwitch), status: status,
            fields: [("ETag", flag.entityTag(killSwitch: killSwitch))] + fields)
    }

    /// The same of a flag that was just created.
    static func created(
        _ flag: FlagRecord, in scope: WriteScope, _ administration: Administration
    ) -> HTTPResponse {
        let path = "/api/flags/\(PercentEncoding.encodedSegment(flag.key))"
        let place = administration.path(path, in: scope.environment)
        return .written(flag, in: scope, administration, status: .created, fields: [("Location", place)])
    }

    /// The same of a flag that was just written: that is answered also when nothing can be read. Blocks.
    fileprivate static func written(
        _ flag: FlagRecord, in scope: WriteScope, _ administration: Administration, status: HTTPStatus = .ok,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        let killSwitch = (try? administration.repository.reader(for: scope.reading).killSwitch(of: flag.key)) ?? nil
        return .flag(flag, killSwitch, administration, status: status, fields: fields)
    }
}
