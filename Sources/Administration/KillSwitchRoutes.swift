import Access
import HTTPRouting
import HTTPTransport

/// Taking a flag, or all flags of an environment, away at once. All that concerns it has a worker of its own and is
/// answered also by a loop that is late.
enum KillSwitchRoutes {
    private static let reading = emergency(.reading("kill_switch"))
    private static let changing = emergency(.changing("kill_switch", .killSwitches))

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, path, "listKillSwitches", reading, list),
        AdministrationRoute(.post, path, "activateKillSwitch", changing, activate),
        AdministrationRoute(.post, deactivation, "deactivateKillSwitch", changing, deactivate),
        AdministrationRoute(.delete, path, "deleteKillSwitch", changing, delete),
    ]

    private static let path: StaticString = "/api/emergency/kill-switch"
    /// Where kill switches are ended.
    static let deactivation: StaticString = "/api/emergency/kill-switch/deactivate"

    private static func emergency(_ policy: RoutePolicy) -> RoutePolicy {
        policy.with {
            $0.lane = .urgent
            $0.rate = .none
            $0.isEssential = true
        }
    }
}
