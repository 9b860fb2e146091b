import JSON

/// Reads the buckets of `fractional`, `[name, weight]`, and adds the weights up.
struct BucketWeights {
    /// No weight, and no sum of weights, may be larger: bucketing multiplies it with a hash of 32 bits
    /// (flagd, docs/architecture-decisions/high-precision-fractional-bucketing.md).
    static let maximumTotal: UInt64 = 2_147_483_647

    /// The sum so far. Each part is at most `maximumTotal`, so it cannot overflow before a rule's limits are reached.
    private(set) var total: UInt64 = 0

    /// Adds a bucket.
    ///
    /// - Returns: the bucket's name; nil when it is no bucket, and the whole operation comes to nothing.
    mutating func add(_ bucket: Operand) -> Operand? {
        guard bucket.isArray else { return nil }
        var elements = bucket.elements
        guard let name = elements.next() else { return nil }
        switch name {
        case .list, .array, .object, .data: return nil
        default: break
        }
        var weight: UInt64 = 1
        if let second = elements.next(), !second.isNull {
            guard let whole = second.wholeNumber else { return nil }
            weight = whole.isNegative ? 0 : whole.magnitude
            guard weight <= Self.maximumTotal else { return nil }
        }
        total += weight
        return name
    }
}
