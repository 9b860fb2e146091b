import Access
import HTTPRouting
import HTTPTransport

/// Another answer for one tenant.
enum TenantOverrideRoutes {
    private static let reading = RoutePolicy.reading("tenant_overrides")
    private static let changing = RoutePolicy.changing("tenant_overrides", .changeOverrides)

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/flags/{flagKey}/tenants", "listOverridesOfFlag", reading, listOfFlag),
        AdministrationRoute(.get, "/api/tenants/{tenantId}/flags", "listOverridesOfTenant", reading, listOfTenant),
        AdministrationRoute(.get, "/api/tenants/{tenantId}/flags/{flagKey}", "getOverride", reading, get),
        AdministrationRoute(.put, "/api/tenants/{tenantId}/flags/{flagKey}", "putOverride", changing, put),
        AdministrationRoute(.delete, "/api/tenants/{tenantId}/flags/{flagKey}", "deleteOverride", changing, delete),
    ]
}
