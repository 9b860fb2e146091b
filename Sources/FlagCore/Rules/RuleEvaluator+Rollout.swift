extension RuleEvaluator {
    /// Whether the subject's place is among those that the rollout lets in now; null without a targeting key.
    mutating func rolloutMembership() throws(RuleFailure) -> Operand {
        guard let plan = tables.rollout, let hash = try defaultHash() else { return .null }
        let place = Int64((UInt64(hash) * UInt64(Rollout.places)) >> 32)
        note(hash: hash, place: UInt64(place), of: UInt64(Rollout.places))
        return plan._withUnsafeGuaranteedRef { plan in
            tracer?.note("below", plan.rollout.threshold(at: now))
            note(nextChange: plan.rollout.nextChange(ofPlace: place, after: now))
            return .bool(place < plan.rollout.threshold(at: now))
        }
    }

    /// Whether it is within the rollout's business hours.
    mutating func isWithinBusinessHours() -> Bool {
        guard let plan = tables.rollout else { return false }
        return plan._withUnsafeGuaranteedRef { plan in
            guard let hours = plan.rollout.businessHours else { return true }
            let second = now.secondsSinceEpoch
            note(
                nextChange: hours.nextChange(after: second, in: plan.zone).map {
                    Timestamp(millisecondsSinceEpoch: $0 * 1_000)
                })
            return hours.contains(second, in: plan.zone)
        }
    }
}
