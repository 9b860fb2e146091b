import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension KillSwitchRoutes {
    /// `GET /api/emergency/kill-switch`
    static func list(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply) throws(Problem)
    {
        let environment = try request.environment(administration)
        do throws(FlagStoreError) {
            let switches = try administration.repository.killSwitches(in: environment)
            reply(.json(.object(["killSwitches": .array(switches.map(\.json))])))
        } catch {
            throw Problem(error, in: environment)
        }
    }

    /// `POST /api/emergency/kill-switch`
    static func activate(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply)
        throws(Problem)
    {
        let draft = try request.draft { json throws(DefinitionIssues) in try KillSwitchDraft(json: json) }
        let environment = try request.environment(administration, body: draft.environment)
        administration.repository.setKillSwitch(
            draft, in: environment, by: request.caller.principal, at: administration.now()
        ) { result in
            administration.answer(reply, result, in: environment, .urgent) { .json($0.json) }
        }
    }

    /// `POST /api/emergency/kill-switch/deactivate`
    static func deactivate(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply)
        throws(Problem)
    {
        let end = try request.draft { json throws(DefinitionIssues) in try KillSwitchEnd(json: json) }
        let environment = try request.environment(administration, body: end.environment)
        administration.repository.endKillSwitch(
            end, in: environment, by: request.caller.principal, at: administration.now()
        ) { result in
            administration.answer(reply, result, in: environment, .urgent) { _ in
                HTTPResponse(status: .noContent)
            }
        }
    }

    /// `DELETE /api/emergency/kill-switch`
    static func delete(_ request: AdministrationRequest, _ administration: Administration, _ reply: Reply)
        throws(Problem)
    {
        let endExample = #"{"flagKey":"new-checkout","deactivatedBy":"ada"}"#
        // RFC 9110 section 9.3.5: content of DELETE has no defined meaning, and some drop it on the way.
        guard !request.body.isEmpty else {
            throw Problem(
                .invalidJSON,
                "the body is empty; send a JSON object such as \(endExample), and if something on the way drops it, "
                    + "send it with POST to \(deactivation)")
        }
        try deactivate(request, administration, reply)
    }
}
