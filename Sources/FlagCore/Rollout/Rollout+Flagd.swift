import JSON

extension Rollout {
    /// The rollout without its business hours as a rule of flagd's, which has the same buckets; a ramp goes on by the
    /// second instead of the millisecond.
    package var flagdTargeting: JSONValue {
        let weight = currentWeight
        let buckets: JSONValue = [
            "fractional": [["on", weight], ["off", ["-": [.integer(Rollout.places), weight]]]]
        ]
        var conditions: [JSONValue] = []
        if let regions {
            conditions.append(["in": [["var": "region"], .array(regions.map { .string($0) })]])
        }
        if let cohorts { conditions.append(Rollout.condition(onCohorts: cohorts)) }
        guard !conditions.isEmpty else { return buckets }
        return ["if": [conditions.count == 1 ? conditions[0] : ["and": .array(conditions)], buckets]]
    }

    /// The weight of those who are in, as a constant or computed from the time.
    private var currentWeight: JSONValue {
        guard let startAt, start != end else { return .integer(end) }
        let now: JSONValue = ["var": "$flagd.timestamp"]
        let from = startAt.secondsSinceEpoch
        guard let endAt, endAt.secondsSinceEpoch > from else {
            return ["if": [["<": [now, .integer(from)]], .integer(start), .integer(end)]]
        }
        let length = endAt.secondsSinceEpoch - from
        // A weight must be whole: what is over is taken away. `%` has the sign of what is divided.
        let product: JSONValue = ["*": [.integer(end - start), ["-": [now, .integer(from)]]]]
        let whole: JSONValue = ["/": [["-": [product, ["%": [product, .integer(length)]]]], .integer(length)]]
        return [
            "if": [
                ["<": [now, .integer(from)]], .integer(start),
                ["<": [now, .integer(from + length)]], ["+": [.integer(start), whole]],
                .integer(end),
            ]
        ]
    }

    /// The condition that the subject is in one of the cohorts.
    static func condition(onCohorts cohorts: [String]) -> JSONValue {
        let list = JSONValue.array(cohorts.map { .string($0) })
        return [
            "or": [
                ["in": [["var": "cohort"], list]], ["some": [["var": "cohorts"], ["in": [["var": ""], list]]]],
            ]
        ]
    }
}
