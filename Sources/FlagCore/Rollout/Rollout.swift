import JSON

/// The progressive rollout of a simple flag: who is let in, and how many of them at which time.
///
/// A pure function of the context and the time over flagd's buckets: the subject's hash picks one of 10,000 places, and
/// whoever's place lies below the percentage is in. Whoever is in at 10 % is therefore in at 20 %, and the places are
/// those of a `fractional` whose weights add up to 10,000.
package struct Rollout: Sendable, Equatable {
    /// How many places there are: a percentage has two decimals.
    static let places: Int64 = 10_000

    /// The rollout as it was written.
    package let json: JSONValue
    /// The percentage at the end, in places.
    let end: Int64
    /// The percentage before `startAt`, in places.
    let start: Int64
    /// When it begins to change; nil: `end` holds always.
    let startAt: Timestamp?
    /// When it has reached `end`; nil: at `startAt`, at once.
    let endAt: Timestamp?
    /// The values of the attribute `region` that are let in; nil: all.
    package let regions: [String]?
    /// The values of the attribute `cohort`, or of one of `cohorts`, that are let in; nil: all.
    package let cohorts: [String]?
    /// When anybody is let in; nil: always.
    package let businessHours: BusinessHours?

    init(
        json: JSONValue, end: Int64, start: Int64, startAt: Timestamp?, endAt: Timestamp?, regions: [String]?,
        cohorts: [String]?, businessHours: BusinessHours?
    ) {
        self.json = json
        self.end = end
        self.start = start
        self.startAt = startAt
        self.endAt = endAt
        self.regions = regions
        self.cohorts = cohorts
        self.businessHours = businessHours
    }

    /// Whether the answer for somebody may change with time alone.
    package var followsClock: Bool { (startAt != nil && start != end) || businessHours != nil }

    /// How many places are in at an instant.
    func threshold(at now: Timestamp) -> Int64 {
        guard let startAt else { return end }
        guard now >= startAt else { return start }
        guard let endAt, now < endAt else { return end }
        let length = endAt.millisecondsSinceEpoch - startAt.millisecondsSinceEpoch
        let passed = now.millisecondsSinceEpoch - startAt.millisecondsSinceEpoch
        let product = (end - start) * passed
        // Rounded down also when the percentage falls.
        return start + (product >= 0 ? product / length : -((-product + length - 1) / length))
    }

    /// When the place comes in or goes out, if that is still to come.
    func nextChange(ofPlace place: Int64, after now: Timestamp) -> Timestamp? {
        guard let startAt, (place < start) != (place < end) else { return nil }
        var change = startAt
        if let endAt {
            let length = endAt.millisecondsSinceEpoch - startAt.millisecondsSinceEpoch
            // The first millisecond at which `threshold` lies on the other side of the place.
            let wait =
                end > start
                ? ((place + 1 - start) * length + (end - start) - 1) / (end - start)
                : (start - place - 1) * length / (start - end) + 1
            change.millisecondsSinceEpoch += wait
        }
        return change > now ? change : nil
    }
}

/// A rollout with what it takes to evaluate it.
package final class RolloutPlan: Sendable {
    let rollout: Rollout
    /// The rules of the time zone of the business hours.
    let zone: TimeZoneRules

    /// A plan; `zone` are the rules of the time zone that the business hours name.
    package init(_ rollout: Rollout, zone: TimeZoneRules = .utc) {
        self.rollout = rollout
        self.zone = zone
    }

    /// The rollout as a targeting rule over two operators of its own: it comes to whether the subject is in, or to null
    /// for whom the rollout is not meant.
    var rule: JSONValue {
        var conditions: [JSONValue] = []
        if let regions = rollout.regions {
            conditions.append(["in": [["var": "region"], .array(regions.map { .string($0) })]])
        }
        if let cohorts = rollout.cohorts { conditions.append(Rollout.condition(onCohorts: cohorts)) }
        if rollout.businessHours != nil { conditions.append(["businessHours": []]) }
        let place: JSONValue = ["rollout": []]
        return conditions.isEmpty ? place : ["if": [["and": .array(conditions)], place, .null]]
    }
}
