import Access
import HTTPRouting
import HTTPTransport

/// Creating, reading, changing and deleting flags.
enum FlagRoutes {
    private static let reading = RoutePolicy.reading("flags")
    private static let changing = RoutePolicy.changing("flags", .changeFlags)

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/flags", "listFlags", reading, list),
        AdministrationRoute(.post, "/api/flags", "createFlag", changing, create),
        AdministrationRoute(.get, "/api/flags/{flagKey}", "getFlag", reading, get),
        AdministrationRoute(.put, "/api/flags/{flagKey}", "replaceFlag", changing, replace),
        AdministrationRoute(.put, "/api/flags/by-key/{flagKey}", "replaceFlagByKey", changing, replace),
        AdministrationRoute(.patch, "/api/flags/{flagKey}", "patchFlag", changing, patch),
        AdministrationRoute(.delete, "/api/flags/{flagKey}", "deleteFlag", changing, delete),
        AdministrationRoute(.get, "/api/flags/{flagKey}/dependents", "listDependents", reading, dependents),
        AdministrationRoute(.post, "/api/flags/{flagKey}/archive", "archiveFlag", changing, archive),
        AdministrationRoute(.post, "/api/flags/{flagKey}/unarchive", "unarchiveFlag", changing, unarchive),
        AdministrationRoute(.post, "/api/flags/{flagKey}/restore", "restoreFlag", changing, restore),
        AdministrationRoute(.post, "/api/flags/{flagKey}/promote", "promoteFlag", changing, promote),
    ]
}
