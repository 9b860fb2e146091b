import Administration
import ArgumentParser
import JSON

/// Whether a change is made at once, past a freeze and others' approval.
struct EmergencyOptions: ParsableArguments {
    @Flag(
        help: "Make the change at once, past a freeze and others' approval: for who administers, with a --reason.")
    var emergency = false
}

extension RouteRequest {
    /// The same, in an emergency if the options say so.
    func inEmergency(_ options: EmergencyOptions) -> RouteRequest {
        var request = self
        request.isEmergency = options.emergency
        return request
    }
}

extension RouteResponse {
    /// What to do where a change waits for others; nil where it does not.
    var proposalAdvice: String? {
        guard status == 202, let proposal = try? json(), let id = proposal["id"]?.stringValue,
            let needed = proposal["approvalsNeeded"]?.numberValue?.int64
        else { return nil }
        let approvals = needed == 1 ? "an approval" : "\(needed) approvals"
        return "proposal \(id) waits for \(approvals): flag-server proposals approve \(id)"
    }
}
