import Access
import HTTPRouting
import HTTPTransport

/// A route of administration: what it demands, and what it does. What it does runs on a worker and may block; what it
/// throws is the answer, else it answers through the reply, now or later.
package struct AdministrationRoute: Sendable {
    /// What a route does.
    package typealias Action =
        @Sendable (AdministrationRequest, Administration, Reply) throws(Problem) -> Void

    /// What it demands.
    package let declaration: RouteDeclaration
    /// What it does.
    package let action: Action

    init(
        _ method: HTTPMethod, _ pattern: StaticString, _ operationID: String, _ policy: RoutePolicy,
        _ action: @escaping Action
    ) {
        declaration = RouteDeclaration(method, pattern, operationID, policy)
        self.action = action
    }

    /// All of them.
    package static let all =
        FlagRoutes.routes + SegmentRoutes.routes + TenantOverrideRoutes.routes + KillSwitchRoutes.routes
        + TransferRoutes.routes + WorkRoutes.routes
}

extension RoutePolicy {
    /// What only looks at what administrators see.
    static func reading(_ label: String) -> RoutePolicy { RoutePolicy(label, .needs(.read)) }

    /// What changes something.
    static func changing(_ label: String, _ permissions: Permissions) -> RoutePolicy {
        RoutePolicy(label, .needs(permissions)).with { $0.audit = .change }
    }
}
