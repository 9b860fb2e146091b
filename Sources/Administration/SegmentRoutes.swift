import Access
import HTTPRouting
import HTTPTransport

/// Creating, reading, changing and deleting segments, and the keys that they list.
enum SegmentRoutes {
    private static let reading = RoutePolicy.reading("segments")
    private static let changing = RoutePolicy.changing("segments", .changeFlags)

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/segments", "listSegments", reading, list),
        AdministrationRoute(.post, "/api/segments", "createSegment", changing, create),
        AdministrationRoute(.get, "/api/segments/{name}", "getSegment", reading, get),
        AdministrationRoute(.put, "/api/segments/{name}", "replaceSegment", changing, replace),
        AdministrationRoute(.patch, "/api/segments/{name}", "patchSegment", changing, patch),
        AdministrationRoute(.delete, "/api/segments/{name}", "deleteSegment", changing, delete),
        AdministrationRoute(.get, "/api/segments/{name}/uses", "listSegmentUses", reading, uses),
        AdministrationRoute(.get, "/api/segments/{name}/keys", "listSegmentKeys", reading, keys),
        AdministrationRoute(.post, "/api/segments/{name}/keys", "editSegmentKeys", changing, editKeys),
        AdministrationRoute(.put, "/api/segments/{name}/keys", "replaceSegmentKeys", changing, replaceKeys),
    ]
}
