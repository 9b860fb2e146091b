import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension TenantOverrideRoutes {
    /// `GET /api/flags/{flagKey}/tenants`
    static func listOfFlag(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply)
        throws(Problem)
    {
        let environment = try request.environment(administration)
        let key = try request.flagKey()
        let limit = try request.limit()
        let cursor = request.cursor
        try answer(reply, in: environment) { () throws(FlagStoreError) in
            let page = try administration.repository.overrides(
                ofFlag: key, in: environment, limit: limit, cursor: cursor)
            // A flag without overrides is one thing, a mistyped key another.
            if page.records.isEmpty, cursor == nil { try administration.repository.requireFlag(key, in: environment) }
            return (
                page, cursor == nil ? try administration.repository.invalidOverrides(ofFlag: key, in: environment) : []
            )
        }
    }

    /// `GET /api/tenants/{tenantId}/flags`
    static func listOfTenant(
        _ request: AdministrationRequest, _ administration: Administration, _ reply: Reply
    ) throws(Problem) {
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let limit = try request.limit()
        let cursor = request.cursor
        try answer(reply, in: environment) { () throws(FlagStoreError) in
            let page = try administration.repository.overrides(
                ofTenant: tenant, in: environment, limit: limit, cursor: cursor)
            return (
                page,
                cursor == nil ? try administration.repository.invalidOverrides(ofTenant: tenant, in: environment) : []
            )
        }
    }

    /// `GET /api/tenants/{tenantId}/flags/{flagKey}`
    static func get(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply) throws(Problem)
    {
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let key = try request.flagKey()
        do throws(FlagStoreError) {
            reply(.json(try administration.repository.override(ofTenant: tenant, flagKey: key, in: environment).json))
        } catch {
            if case .invalid(let issues) = error { throw .invalidItem("override of \(key) for \(tenant)", issues) }
            throw Problem(error, in: environment)
        }
    }

    /// `PUT /api/tenants/{tenantId}/flags/{flagKey}`
    static func put(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply) throws(Problem)
    {
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let key = try request.flagKey()
        let draft = try request.draft { json throws(DefinitionIssues) in
            try TenantOverrideDraft(json: json, tenant: tenant, flagKey: key)
        }
        try checkChoice(draft, in: environment, administration)
        administration.repository.putOverride(
            draft, in: environment, by: request.caller.principal, at: administration.now()
        ) { result in
            administration.answer(reply, result, in: environment) { .json($0.json) }
        }
    }

    /// `DELETE /api/tenants/{tenantId}/flags/{flagKey}`
    static func delete(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply)
        throws(Problem)
    {
        let environment = try request.environment(administration)
        let tenant = try request.tenantId()
        let key = try request.flagKey()
        administration.repository.deleteOverride(
            ofTenant: tenant, flagKey: key, in: environment, by: request.caller.principal
        ) { result in
            administration.answer(reply, result, in: environment) { _ in
                HTTPResponse(status: .noContent)
            }
        }
    }

    private static func answer(
        _ reply: Reply, in environment: Environment,
        _ read: () throws(FlagStoreError) -> (page: OverridePage, invalid: [InvalidOverride])
    ) throws(Problem) {
        do throws(FlagStoreError) {
            let (page, invalid) = try read()
            reply(
                .page(
                    "overrides", page.records.map(\.json), of: page, invalid: invalid.map(\.json)))
        } catch {
            throw Problem(error, in: environment)
        }
    }

    /// Refuses an override that evaluation would ignore: of a variant that the flag does not have, or `enabled` of a
    /// flag that is not boolean. The flag may still change later; then the override is ignored.
    private static func checkChoice(
        _ draft: TenantOverrideDraft, in environment: Environment, _ administration: Administration
    ) throws(Problem) {
        let definition: FlagDefinition
        do throws(FlagStoreError) {
            let rule = try administration.repository.flag(draft.flagKey, in: environment).rule
            do throws(DefinitionIssues) { definition = try rule.definition() } catch { return }
        } catch {
            if case .invalid = error { return }
            throw Problem(error, in: environment)
        }
        let variants = definition.json["variants"]?.objectValue?.members ?? []
        let names = variants.map(\.key).joined(separator: ", ")
        switch draft.override.choice {
        case .variant(let name):
            if variants.contains(where: { $0.key.utf8.elementsEqual(name.utf8) }) { return }
            throw .invalidBody([
                Problem.Field(pointer: "/variant", detail: "the flag has no such variant; it has \(names)")
            ])
        case .enabled(let enabled):
            if variants.allSatisfy({ $0.value.boolValue != nil }),
                variants.contains(where: { $0.value == .bool(enabled) })
            {
                return
            }
            let detail = "the flag has no boolean variant with this value; give variant with one of \(names)"
            throw .invalidBody([Problem.Field(pointer: "/enabled", detail: detail)])
        }
    }
}
