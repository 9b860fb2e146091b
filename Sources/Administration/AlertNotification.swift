import FlagCore
import FlagStore
import JSON

/// What Alertmanager sends to a webhook (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), as
/// far as it concerns flags: members that mean nothing here are passed over.
struct AlertNotification {
    /// An alert with labels that say what is to be done.
    struct Alert {
        /// What is done about an alert.
        enum Action: String, CaseIterable {
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

    /// Alertmanager sends as many as `max_alerts` says, and its default is no bound; but what is done about them is done
    /// where everybody's kill switches wait for their turn.
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
        alerts = list.map { Alert($0) }
    }
}

extension AlertNotification.Alert {
    fileprivate init(_ json: JSONValue) {
        let (labels, annotations) = (json["labels"], json["annotations"])
        let given = labels?["alertname"]?.stringValue ?? ""
        name = given.isEmpty ? "an alert" : given
        isFiring = json["status"]?.stringValue != "resolved"
        action = labels?["action"]?.stringValue
        flag = labels?["flag"]?.stringValue
        environment = labels?["environment"]?.stringValue
        let summary = annotations?["summary"]?.stringValue ?? annotations?["description"]?.stringValue
        let words = summary.map { [name] in "\(name): \($0)" } ?? name
        // On one line, and no longer than a reason may be.
        let line = words.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: " " as Unicode.Scalar
            default: scalar
            }
        }
        reason = String(String.UnicodeScalarView(line.prefix(FlagLimits.reasonCharacters)))
    }
}
