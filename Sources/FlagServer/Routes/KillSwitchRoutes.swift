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
                summary: #"Turns a kill switch on: of one flag by its flagKey, or of all flags by "all": true."#,
                detail: "Answered when it is durable and in force on every event loop. A boolean flag is false then, "
                    + "every other flag has no value.",
                query: [.environment],
                body: .init(
                    schema: "KillSwitchActivation",
                    example: #"{"flagKey":"new-checkout","reason":"payments fail","activatedBy":"ada"}"#),
                answers: [.init(status: 200, meaning: "It is on.", schema: "KillSwitch")],
                problems: [.flagNotFound]),
            .onWorker(activate)),
        Route(
            .post, deactivation, in: .killSwitch, end(id: "deactivateKillSwitch", detail: ""), .onWorker(deactivate)),
        Route(
            .delete, "/api/emergency/kill-switch", in: .killSwitch,
            end(
                id: "deleteKillSwitch",
                detail: " The same as POST to /api/emergency/kill-switch/deactivate, which also gets through where the "
                    + "content of DELETE does not."),
            .onWorker(delete)),
    ]

    /// Where kill switches are ended.
    static let deactivation: StaticString = "/api/emergency/kill-switch/deactivate"
    /// A body that ends one.
    static let endExample = #"{"flagKey":"new-checkout","deactivatedBy":"ada"}"#

    private static func end(id: String, detail: String) -> Operation {
        Operation(
            id: id, summary: #"Ends a kill switch: of one flag by its flagKey, or of all flags by "all": true."#,
            detail: "Answered when it is durable and in force on every event loop." + detail, query: [.environment],
            body: .init(schema: "KillSwitchDeactivation", example: endExample),
            answers: [.init(status: 204, meaning: "It is off.")], problems: [.killSwitchNotFound])
    }
}
