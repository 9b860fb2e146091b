import HTTPTransport

/// What one tenant gets whatever targeting says.
enum TenantOverrideRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/api/flags/{flagKey}/tenants", in: .tenantOverrides,
            Operation(
                id: "listOverridesOfFlag", summary: "Lists the overrides of a flag, by tenant.",
                query: [.environment, .limit, .cursor],
                answers: [.init(status: 200, meaning: "A page of overrides.", schema: "TenantOverrideList")],
                problems: [.flagNotFound]),
            .onWorker(listOfFlag)),
        Route(
            .get, "/api/tenants/{tenantId}/flags", in: .tenantOverrides,
            Operation(
                id: "listOverridesOfTenant", summary: "Lists the overrides of a tenant, by flag.",
                query: [.environment, .limit, .cursor],
                answers: [.init(status: 200, meaning: "A page of overrides.", schema: "TenantOverrideList")]),
            .onWorker(listOfTenant)),
        Route(
            .get, "/api/tenants/{tenantId}/flags/{flagKey}", in: .tenantOverrides,
            Operation(
                id: "getOverride", summary: "Reads an override.", query: [.environment],
                answers: [.init(status: 200, meaning: "The override.", schema: "TenantOverride")],
                problems: [.overrideNotFound, .invalidItem]),
            .onWorker(get)),
        Route(
            .put, "/api/tenants/{tenantId}/flags/{flagKey}", in: .tenantOverrides,
            Operation(
                id: "putOverride", summary: "Sets an override.", query: [.environment],
                body: .init(
                    schema: "TenantOverrideBody",
                    example: #"{"enabled":true,"updatedBy":"ada","reason":"beta customer"}"#),
                answers: [
                    .init(status: 200, meaning: "The override as it is stored.", schema: "TenantOverride")
                ],
                problems: [.flagNotFound]),
            .onWorker(put)),
        Route(
            .delete, "/api/tenants/{tenantId}/flags/{flagKey}", in: .tenantOverrides,
            Operation(
                id: "deleteOverride", summary: "Takes an override away.", query: [.environment],
                answers: [.init(status: 204, meaning: "It is gone.")],
                problems: [.overrideNotFound]),
            .onWorker(delete)),
    ]
}
