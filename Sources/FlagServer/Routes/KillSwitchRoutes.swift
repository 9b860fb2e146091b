import HTTPTransport

/// Taking a flag, or all flags of an environment, away at once.
enum KillSwitchRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/api/emergency/kill-switch", in: .killSwitch,
            Operation(
                id: "listKillSwitches", summary: "Lists the kill switches that are on.", query: [.environment],
                answers: [.init(status: 200, meaning: "All of them.", schema: "KillSwitchList")]),
            .onWorker(list)),
        Route(
            .post, "/api/emergency/kill-switch", in: .killSwitch,
            Operation(
                id: "activateKillSwitch",
                summary: "Turns a kill switch on: of one flag, or of all when no flagKey is given.",
                detail: "Answered when it is durable and in force on every event loop.",
                query: [.environment],
                body: .init(
                    schema: "KillSwitchActivation",
                    example: #"{"flagKey":"new-checkout","reason":"payments fail","activatedBy":"ada"}"#),
                answers: [.init(status: 200, meaning: "It is on.", schema: "KillSwitch")]),
            .onWorker(activate)),
        Route(
            .delete, "/api/emergency/kill-switch", in: .killSwitch,
            Operation(
                id: "deactivateKillSwitch", summary: "Turns a kill switch off.",
                detail: "Answered when it is durable and in force on every event loop.",
                query: [.environment],
                body: .init(
                    schema: "KillSwitchDeactivation", example: #"{"flagKey":"new-checkout","deactivatedBy":"ada"}"#),
                answers: [.init(status: 204, meaning: "It is off.")],
                problems: [.killSwitchNotFound]),
            .onWorker(deactivate)),
    ]
}
