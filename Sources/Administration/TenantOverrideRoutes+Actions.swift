import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension TenantOverrideRoutes {
    /// `GET /api/flags/{flagKey}/tenants`
    static func listOfFlag(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        let stored = try request.stored(administration)
        let key = try request.flagKey()
        let limit = try request.limit()
        let cursor = request.cursor
        if let tenant = request.caller.tenant {
            return try ownOverride(of: key, tenant, in: stored)
        }
        return try stored.read { (stored) throws(FlagStoreError) in
            let page = try stored.overrides(ofFlag: key, limit: limit, cursor: cursor)
            // A flag without overrides is one thing, a mistyped key another.
            if page.records.isEmpty, cursor == nil { try stored.requireFlag(key) }
            let invalid = cursor == nil ? try stored.invalidOverrides(ofFlag: key) : []
            return .respond(.overrides(page, invalid))
        }
    }

    /// The overrides of a flag as a caller sees them who is bound to one tenant: those of others do not exist.
    private static func ownOverride(
        of key: String, _ tenant: String, in stored: FlagReader
    ) throws(Problem) -> Outcome {
        return try stored.read { (stored) throws(FlagStoreError) in
            try stored.requireFlag(key)
            var own: [JSONValue] = []
            do throws(FlagStoreError) {
                own.append(try stored.override(ofTenant: tenant, flagKey: key).json)
            } catch {
                guard case .notFound = error else { throw error }
            }
            return .respond(.json(["overrides": .array(own), "nextCursor": .null]))
        }
    }

    /// `GET /api/tenants/{tenantId}/flags`
    static func listOfTenant(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        let stored = try request.stored(administration)
        let tenant = try request.tenantId()
        let limit = try request.limit()
        let cursor = request.cursor
        return try stored.read { (stored) throws(FlagStoreError) in
            let page = try stored.overrides(ofTenant: tenant, limit: limit, cursor: cursor)
            let invalid = cursor == nil ? try stored.invalidOverrides(ofTenant: tenant) : []
            return .respond(.overrides(page, invalid))
        }
    }

    /// `GET /api/tenants/{tenantId}/flags/{flagKey}`
    static func get(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let tenant = try request.tenantId()
        let key = try request.flagKey()
        do throws(FlagStoreError) {
            let override = try stored.override(ofTenant: tenant, flagKey: key)
            return .respond(.json(override.json))
        } catch {
            if case .invalid(let issues) = error { throw .invalidItem("override of \(key) for \(tenant)", issues) }
            throw Problem(error, in: stored.environment)
        }
    }

    /// `PUT /api/tenants/{tenantId}/flags/{flagKey}`
    static func put(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.setOverride, request, administration)
    }

    /// `DELETE /api/tenants/{tenantId}/flags/{flagKey}`
    static func delete(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.removeOverride, request, administration)
    }

    /// Changes the override in the path.
    static func change(
        _ kind: FlagOperation.Kind, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let tenant = try request.tenantId()
        let operation = try request.operation(kind, of: try request.flagKey(), tenant: tenant)
        return .write(operation, try request.scope(of: operation, administration)) { written in
            guard case .override(let override) = written else { return HTTPResponse(status: .noContent) }
            return .json(override.json)
        }
    }
}

extension HTTPResponse {
    fileprivate static func overrides(_ page: OverridePage, _ invalid: [InvalidOverride]) -> HTTPResponse {
        .page("overrides", page.records.map(\.json), of: page, invalid: invalid.map(\.json))
    }
}
