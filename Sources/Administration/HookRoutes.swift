import Access
import AuditStore
import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// What other programs tell the server of what happens elsewhere.
enum HookRoutes {
    /// As urgent as a kill switch, and open to whoever may set one.
    private static let policy = RoutePolicy.changing("hooks", .killSwitches).with {
        $0.lane = .urgent
        $0.rate = .none
        $0.isEssential = true
    }

    /// The routes.
    static let routes = [
        AdministrationRoute(.post, "/api/hooks/alertmanager", "receiveAlerts", policy, receiveAlerts)
    ]

    /// `POST /api/hooks/alertmanager`: does what the labels of alerts say. What was done already is not done again:
    /// Alertmanager repeats what it says.
    private static func receiveAlerts(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try request.requireAnyTenant()
        let notification = try request.draft { json throws(DefinitionIssues) in try AlertNotification(json: json) }
        var results: [JSONValue] = []
        var isRefused = false
        var trouble: Problem?
        for alert in notification.alerts {
            do throws(Problem) {
                let result = try result(of: alert, request, administration)
                if case .refused = result { isRefused = true }
                results.append(result.json(of: alert))
            } catch {
                // The others are not kept waiting by it. What was done is not done again when they are sent again.
                trouble = trouble ?? error
            }
        }
        if let trouble { throw trouble }
        // Alertmanager writes what it gets with such a status into its log, and sends it again with the next of the
        // group only.
        return .respond(.json(["alerts": .array(results)], status: isRefused ? .unprocessableContent : .ok))
    }

    private static func result(
        of alert: AlertNotification.Alert, _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> AlertResult {
        guard let asked = alert.action else { return .nothing("it has no label action") }
        guard alert.isFiring else { return .nothing("it has ended: what it did is undone by people") }
        guard let action = AlertNotification.Alert.Action(rawValue: asked) else {
            return .refused("its label action must be pause or kill, not \(asked.prefix(200))")
        }
        guard let flag = alert.flag, TextRule.flagKey.complaint(about: flag) == nil else {
            return .refused("its label flag must be the key of a flag")
        }
        guard let environment = alert.environment.flatMap({ Environment(spelling: $0) }) else {
            let names = Environment.allCases.map(\.rawValue).joined(separator: ", ")
            return .refused("its label environment must be one of \(names)")
        }
        do throws(Problem) {
            let scope = try request.scope(
                in: environment, administration, because: alert.reason, needing: .killSwitches)
            guard let readScope = request.caller.readScope(in: environment) else {
                throw .forbidden(.read, in: environment)
            }
            let change = FlagChange(flag: flag, alert: alert, scope: scope, administration: administration)
            let stored = administration.repository.reader(for: readScope)
            return try stored.read { (stored) throws(FlagStoreError) in
                switch action {
                case .kill: try change.kill(stored)
                case .pause: try change.pause(stored)
                }
            }
        } catch {
            // What may be otherwise in a moment is tried again by whoever sent it.
            guard error.code.status < 500 else { throw error }
            if error.code.status == 403 {
                administration.audit?.tallyRefusal(of: request.principal, "POST /api/hooks/alertmanager")
            }
            return .refused(error.detail)
        }
    }
}

/// What an alert asks to be done to a flag.
private struct FlagChange {
    let flag: String
    let alert: AlertNotification.Alert
    let scope: WriteScope
    let administration: Administration

    /// Takes the flag away; also where all are: when that ends, the alert still holds.
    func kill(_ stored: FlagReader) throws(FlagStoreError) -> AlertResult {
        if let there = try stored.ownKillSwitch(of: flag) {
            return .already("it is taken away since \(there.activatedAt): \(there.reason)")
        }
        return try apply(
            .setKillSwitch, ["flagKey": .string(flag), "reason": .string(alert.reason), "activatedBy": "alertmanager"])
    }

    /// Has no more people let in than are now. Where somebody else changes the flag at that moment, their change is
    /// looked at.
    func pause(_ stored: FlagReader) throws(FlagStoreError) -> AlertResult {
        for _ in 1..<Self.triesMaximum {
            do throws(FlagStoreError) { return try pauseOnce(stored) } catch {
                guard case .versionMismatch = error else { throw error }
            }
        }
        return try pauseOnce(stored)
    }

    private static let triesMaximum = 20

    private func pauseOnce(_ stored: FlagReader) throws(FlagStoreError) -> AlertResult {
        let record = try stored.flag(flag)
        guard let rollout = try? record.rule.parsedRollout() else {
            return .refused("the flag has no rollout that could be paused")
        }
        guard let change = rollout.pause(at: scope.instant) else {
            return .already("its rollout stands at \(rollout.share(at: scope.instant))")
        }
        let result = try apply(.patchFlag, of: flag, ["rollout": change], expecting: record.version)
        if case .done = result { noteHaste() }
        return result
    }

    /// Tells that a change was made at once for which others would have had to be asked, or that a freeze would have
    /// held up: it only takes something back.
    private func noteHaste() {
        let gate = administration.gate
        if case .apply = gate.verdict(on: .flag(flag), in: scope.environment, at: scope.instant) { return }
        gate.noteEmergency("\(alert.name) pauses \(flag)", in: scope.environment, by: scope.principal)
    }

    private func apply(
        _ kind: FlagOperation.Kind, of name: String? = nil, _ body: JSONValue, expecting version: Int64? = nil
    ) throws(FlagStoreError) -> AlertResult {
        let operation: FlagOperation
        do throws(DefinitionIssues) {
            operation = try FlagOperation(kind, of: name, body: body, expecting: version)
        } catch { return .refused(error.issues.map { "\($0.pointer) \($0.message)" }.joined(separator: "; ")) }
        try administration.repository.applyAndWait(operation, in: scope, listed: administration.listedKeys)
        return .done
    }
}

/// What became of an alert.
private enum AlertResult {
    /// What it asks for was done.
    case done
    /// It had been done.
    case already(String)
    /// It asks for nothing.
    case nothing(String)
    /// It cannot be done.
    case refused(String)

    func json(of alert: AlertNotification.Alert) -> JSONValue {
        var object: JSONObject = ["alert": .string(alert.name)]
        for (name, value) in [
            ("action", alert.action), ("flag", alert.flag), ("environment", alert.environment),
        ] {
            // What is no action or environment may be as long as a request.
            if let value { object[name] = .string(String(value.prefix(200))) }
        }
        switch self {
        case .done: object["result"] = "done"
        case .already(let detail): (object["result"], object["detail"]) = ("already", .string(detail))
        case .nothing(let detail): (object["result"], object["detail"]) = ("nothing", .string(detail))
        case .refused(let detail): (object["result"], object["detail"]) = ("refused", .string(detail))
        }
        return .object(object)
    }
}
