import JSON

extension Rollout {
    /// What has to be changed of a flag's `rollout` (RFC 7396) so that as many are in from now on as are at an instant;
    /// nil where nothing comes with time any more. Regions, cohorts and business hours stay.
    package func pause(at now: Timestamp) -> JSONValue? {
        guard let startAt, start != end, now < endAt ?? startAt else { return nil }
        let places = threshold(at: now)
        let (whole, part) = (places / 100, places % 100)
        let text = part == 0 ? "\(whole)" : "\(whole).\(part < 10 ? "0" : "")\(part)"
        guard let percentage = try? JSONValue(parsing: text) else { return nil }
        return ["percentage": percentage, "startAt": .null, "endAt": .null, "startPercentage": .null]
    }

    /// How many are in at an instant, for people: `12.5 %`.
    package func share(at now: Timestamp) -> String { "\(Double(threshold(at: now)) / 100) %" }
}
