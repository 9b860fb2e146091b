import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension FlagRoutes {
    /// `GET /api/flags`
    static func list(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let query = FlagQuery(
            owner: try request.text("owner", .owner), expiresBefore: try request.time("expiresBefore"),
            tag: try request.text("tag", .tag), limit: try request.limit(), cursor: request.cursor)
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let repository = administration.repository
            let page = try repository.flags(query, in: environment)
            let killSwitch = try repository.killSwitches(ofFlagsIn: environment)
            let invalid = query.cursor == nil ? try repository.invalidFlags(query, in: environment) : []
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
            let path = "/api/flags/\(PercentEncoding.encodedSegment(flag.key))"
            let place = administration.path(path, in: scope.environment)
            return .written(flag, administration, status: .created, fields: [("Location", place)])
        }
    }

    /// `GET /api/flags/{flagKey}`
    static func get(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let (flag, killSwitch) = try read(try request.flagKey(), in: environment, administration)
        let tag = flag.entityTag(killSwitch: killSwitch)
        return request.isKnown(tag) ? .notModified(tag) : .respond(.flag(flag, killSwitch, administration))
    }

    /// `GET /api/flags/{flagKey}/history`
    static func history(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let key = try request.flagKey()
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            var entries = try administration.repository.history(of: key, in: environment)
            if let tenant = request.caller.tenant { entries.removeAll { !$0.isFor(tenant) } }
            return .respond(
                try .history(entries) { () throws(FlagStoreError) in
                    try administration.repository.requireFlag(key, in: environment)
                })
        }
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

    private static func change(
        _ kind: FlagOperation.Kind, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let key = try request.flagKey()
        var operation = try request.operation(kind, of: key)
        operation.expectedVersion = try expectedVersion(request, key, in: environment, administration)
        return .write(operation, try request.scope(of: operation, administration)) { written in
            guard case .flag(let flag) = written else { return HTTPResponse(status: .noContent) }
            return .written(flag, administration)
        }
    }

    /// `GET /api/flags/{flagKey}/dependents`
    static func dependents(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        let environment = try request.environment(administration)
        let key = try request.flagKey()
        let dependents = try administration.reading(in: environment) { () throws(FlagStoreError) in
            try administration.repository.requireFlag(key, in: environment)
            return try administration.repository.dependents(of: key, in: environment)
        }
        let list = dependents.map { dependent -> JSONValue in
            ["flagKey": .string(dependent.flagKey), "variant": .string(dependent.variant)]
        }
        return .respond(.json(.object(["flagKey": .string(key), "dependents": .array(list)])))
    }

    /// The flag of a key with the kill switch that takes it away, or the problem that there is no flag.
    private static func read(
        _ key: String, in environment: Environment, _ administration: Administration
    ) throws(Problem) -> (FlagRecord, KillSwitchRecord?) {
        do throws(FlagStoreError) {
            return (
                try administration.repository.flag(key, in: environment),
                try administration.repository.killSwitch(of: key, in: environment)
            )
        } catch {
            if case .invalid(let issues) = error { throw .invalidItem("flag \(key)", issues) }
            throw Problem(error, in: environment)
        }
    }

    /// The version that `If-Match` asks for: nil without the field or with `*`, which the flag's existence satisfies. A
    /// kill switch that was set since the flag was read changes its tag and not the flag, and keeps nobody from
    /// changing it.
    ///
    /// - Throws: 412 when the flag is at a version that the field does not name.
    private static func expectedVersion(
        _ request: AdministrationRequest, _ key: String, in environment: Environment, _ administration: Administration
    ) throws(Problem) -> Int64? {
        guard request.namesVersion else { return nil }
        let (flag, killSwitch): (FlagRecord, KillSwitchRecord?)
        do throws(Problem) { (flag, killSwitch) = try read(key, in: environment, administration) } catch {
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

    /// The same of a flag that was just written: that is answered also when nothing can be read. Blocks.
    fileprivate static func written(
        _ flag: FlagRecord, _ administration: Administration, status: HTTPStatus = .ok,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        let killSwitch = (try? administration.repository.killSwitch(of: flag.key, in: flag.environment)) ?? nil
        return .flag(flag, killSwitch, administration, status: status, fields: fields)
    }
}
