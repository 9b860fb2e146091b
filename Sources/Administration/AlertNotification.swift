import Bytes
import FlagCore
import FlagStore
import JSON

/// What Alertmanager sends to a webhook (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), as
/// far as it concerns flags: members that mean nothing here are passed over.
struct AlertNotification {
    /// An alert with labels that say what is to be done.
    struct Alert {
        /// What is done about an alert.
        enum Action: String {
            /// A rollout stays as far as it is.
            case pause
            /// The flag is taken away.
            case kill
        }

        let name: String
        /// Whether it goes on; one that has ended asks for nothing.
        let isFiring: Bool
        /// What its label `action` says; nil where it has none.
        let action: String?
        let flag: String?
        let environment: String?
        /// Why, for everybody who looks later.
        let reason: String
    }

    let alerts: [Alert]

    /// Alertmanager sends as many as `max_alerts` says, and its default is no bound; but what is done about them is
    /// done where everybody's kill switches wait for their turn.
    static let alertsMaximum = 100

    /// Reads a body.
    init(json: JSONValue) throws(DefinitionIssues) {
        guard let list = json["alerts"]?.arrayValue else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "/alerts", message: "must be a list of alerts, as Alertmanager sends it")
            ])
        }
        guard list.count <= Self.alertsMaximum else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(
                    pointer: "/alerts",
                    message: "has \(list.count) alerts: at most \(Self.alertsMaximum) are taken (max_alerts)")
            ])
        }
        alerts = try list.enumerated().map { (index, alert) throws(DefinitionIssues) in
            try Alert(alert, at: "/alerts/\(index)")
        }
    }
}

extension AlertNotification.Alert {
    fileprivate init(_ json: JSONValue, at pointer: String) throws(DefinitionIssues) {
        let labels = try Self.texts(json, "labels", at: pointer)
        let annotations = try Self.texts(json, "annotations", at: pointer)
        if let status = json["status"], status.stringValue == nil {
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "\(pointer)/status", message: "must be a string")])
        }
        let given = labels["alertname"] ?? ""
        name = given.isEmpty ? "an alert" : given
        isFiring = json["status"]?.stringValue != "resolved"
        action = labels["action"]
        flag = labels["flag"]
        environment = labels["environment"]
        let summary = annotations["summary"] ?? annotations["description"]
        let words = summary.map { [name] in "\(name): \($0)" } ?? name
        // On one line, and no longer than a reason may be.
        let line = words.unicodeScalars.map { $0.altersLine ? " " : $0 }
        reason = String(String.UnicodeScalarView(line.prefix(FlagLimits.reasonCharacters)))
    }

    /// A member that is an object of strings; none where it is not there.
    private static func texts(
        _ json: JSONValue, _ name: String, at pointer: String
    ) throws(DefinitionIssues) -> [String: String] {
        func issue(_ place: String, _ message: String) -> DefinitionIssues {
            DefinitionIssues(issues: [DefinitionIssue(pointer: "\(pointer)\(place)", message: message)])
        }
        guard case .object = json else { throw issue("", "must be an alert, as Alertmanager sends it") }
        guard let member = json[name] else { return [:] }
        guard let object = member.objectValue else { throw issue("/\(name)", "must be an object of strings") }
        var texts: [String: String] = [:]
        for (key, value) in object.members {
            guard let text = value.stringValue else { throw issue("/\(name)", "must have strings alone") }
            texts[key] = text
        }
        return texts
    }
}
