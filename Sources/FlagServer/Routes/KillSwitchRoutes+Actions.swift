import FlagCore
import FlagStore
import HTTPTransport
import JSON

extension KillSwitchRoutes {
    /// `GET /api/emergency/kill-switch`
    static func list(_ request: AdministrationRequest, _ service: FlagService, _ reply: Reply) throws(Problem) {
        let environment = try request.environment(service)
        do throws(FlagStoreError) {
            let switches = try service.repository.killSwitches(in: environment)
            reply(.json(.object(["killSwitches": .array(switches.map(\.json))])))
        } catch {
            throw Problem(error, missing: .killSwitchNotFound, in: environment)
        }
    }

    /// `POST /api/emergency/kill-switch`
    static func activate(_ request: AdministrationRequest, _ service: FlagService, _ reply: Reply) throws(Problem) {
        let draft = try request.draft { json throws(DefinitionIssues) in try KillSwitchDraft(json: json) }
        let environment = try request.environment(service, body: draft.environment)
        service.repository.setKillSwitch(draft, in: environment, by: service.principal, at: service.now()) { result in
            service.answer(reply, result, missing: .killSwitchNotFound, in: environment, .urgent) { .json($0.json) }
        }
    }

    /// `DELETE /api/emergency/kill-switch`
    static func deactivate(_ request: AdministrationRequest, _ service: FlagService, _ reply: Reply) throws(Problem) {
        let end = try request.draft { json throws(DefinitionIssues) in try KillSwitchEnd(json: json) }
        let environment = try request.environment(service, body: end.environment)
        service.repository.clearKillSwitch(flagKey: end.flagKey, in: environment, by: service.principal) { result in
            service.answer(reply, result, missing: .killSwitchNotFound, in: environment, .urgent) { _ in
                HTTPResponse(status: .noContent)
            }
        }
    }
}

/// The body of a kill switch's end: `{flagKey?, deactivatedBy, environment?}`.
struct KillSwitchEnd {
    /// The flag; nil for the kill switch of all flags.
    let flagKey: String?
    /// The environment that the body names, if it does.
    let environment: Environment?

    /// Reads a body.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    init(json: JSONValue) throws(DefinitionIssues) {
        guard let object = json.objectValue else {
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "", message: "must be an object")])
        }
        var issues: [DefinitionIssue] = []
        func text(_ name: String, _ rule: TextRule, isRequired: Bool) -> String? {
            let pointer = "/\(name)"
            guard let value = object[name], !value.isNull else {
                if isRequired {
                    issues.append(DefinitionIssue(pointer: pointer, message: "is required: \(rule.expectation)"))
                }
                return nil
            }
            let complaint = value.stringValue.map { rule.complaint(about: $0) } ?? "must be a string"
            if let complaint { issues.append(DefinitionIssue(pointer: pointer, message: complaint)) }
            return value.stringValue
        }
        flagKey = text("flagKey", .flagKey, isRequired: false)
        _ = text("deactivatedBy", .actor, isRequired: true)
        environment = object["environment"]?.stringValue.flatMap { Environment(spelling: $0) }
        if object["environment"] != nil, environment == nil {
            issues.append(DefinitionIssue(pointer: "/environment", message: "must be \(Environment.spellings)"))
        }
        let known = ["flagKey", "deactivatedBy", "environment"]
        for (name, _) in object.members where !known.contains(name) {
            let pointer = JSONPointer().appending(name).description
            issues.append(
                DefinitionIssue(
                    pointer: pointer, message: "is not known here; known are \(known.joined(separator: ", "))"))
        }
        if !issues.isEmpty { throw DefinitionIssues(issues: issues) }
    }
}
