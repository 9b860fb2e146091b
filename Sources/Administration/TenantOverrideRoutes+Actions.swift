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
        let environment = try request.environment(administration)
        let key = try request.flagKey()
        let limit = try request.limit()
        let (repository, cursor) = (administration.repository, request.cursor)
        if let tenant = request.caller.tenant {
            return try ownOverride(of: key, tenant, in: environment, administration)
        }
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let page = try repository.overrides(ofFlag: key, in: environment, limit: limit, cursor: cursor)
            // A flag without overrides is one thing, a mistyped key another.
            if page.records.isEmpty, cursor == nil { try repository.requireFlag(key, in: environment) }
            let invalid = cursor == nil ? try repository.invalidOverrides(ofFlag: key, in: environment) : []
            return .respond(.overrides(page, invalid))
        }
    }

    /// The overrides of a flag as a caller sees them who is bound to one tenant: those of others do not exist.
    private static func ownOverride(
        of key: String, _ tenant: String, in environment: Environment, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let repository = administration.repository
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            try repository.requireFlag(key, in: environment)
            var own: [JSONValue] = []
            do throws(FlagStoreError) {
                own.append(try repository.override(ofTenant: tenant, flagKey: key, in: environment).json)
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
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let limit = try request.limit()
        let (repository, cursor) = (administration.repository, request.cursor)
        return try administration.reading(in: environment) { () throws(FlagStoreError) in
            let page = try repository.overrides(ofTenant: tenant, in: environment, limit: limit, cursor: cursor)
            let invalid = cursor == nil ? try repository.invalidOverrides(ofTenant: tenant, in: environment) : []
            return .respond(.overrides(page, invalid))
        }
    }

    /// `GET /api/tenants/{tenantId}/flags/{flagKey}`
    static func get(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let key = try request.flagKey()
        do throws(FlagStoreError) {
            let override = try administration.repository.override(ofTenant: tenant, flagKey: key, in: environment)
            return .respond(.json(override.json))
        } catch {
            if case .invalid(let issues) = error { throw .invalidItem("override of \(key) for \(tenant)", issues) }
            throw Problem(error, in: environment)
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

    private static func change(
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
