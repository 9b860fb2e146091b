import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension KillSwitchRoutes {
    /// `GET /api/emergency/kill-switch`
    static func list(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let switches = try stored.read { (stored) throws(FlagStoreError) in
            try stored.killSwitches()
        }
        return .respond(.json(.object(["killSwitches": .array(switches.map(\.json))])))
    }

    /// `POST /api/emergency/kill-switch`
    static func activate(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome
    {
        let operation = try request.operation(.setKillSwitch)
        return .write(operation, try request.scope(of: operation, administration)) { written in
            guard case .killSwitch(let killSwitch) = written else { return HTTPResponse(status: .noContent) }
            return .json(killSwitch.json)
        }
    }

    /// `POST /api/emergency/kill-switch/deactivate`
    static func deactivate(_ request: AdministrationRequest, _ administration: Administration) throws(Problem)
        -> Outcome
    {
        let operation = try request.operation(.endKillSwitch)
        return .write(operation, try request.scope(of: operation, administration)) { _ in
            HTTPResponse(status: .noContent)
        }
    }

    /// `DELETE /api/emergency/kill-switch`
    static func delete(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let example = #"{"flagKey":"new-checkout","deactivatedBy":"ada"}"#
        // RFC 9110 section 9.3.5: content of DELETE has no defined meaning, and some drop it on the way.
        guard !request.body.isEmpty else {
            throw Problem(
                .invalidJSON,
                "the body is empty; send a JSON object such as \(example), and if something on the way drops it, "
                    + "send it with POST to \(deactivation)")
        }
        return try deactivate(request, administration)
    }
}
