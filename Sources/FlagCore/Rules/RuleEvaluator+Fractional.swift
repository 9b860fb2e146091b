import JSON

extension RuleEvaluator {
    /// `fractional` whose buckets are constant.
    @inline(__always)
    mutating func constantFractional(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let table = tables.buckets[Int(node.pointee.detail)]
        let hash: UInt32?
        if table.hasSubject {
            let subject = try value(node, 0)
            // A list in the subject's place is a bucket, and then this is not the table.
            if subject.isArray { return try fractional(node) }
            hash = try bucketHash(of: subject)
        } else {
            hash = try defaultHash()
        }
        guard let hash else { return .null }
        let bucket = (UInt64(hash) * table.total) >> 32
        for entry in table.buckets where bucket < entry.end { return entry.name }
        return .null
    }

    /// `fractional`: null when the arguments are not what they must be, or there is nothing to bucket by.
    mutating func fractional(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let arguments = try values(node)
        guard let first = arguments.first else { return .null }
        let buckets = first.isArray ? arguments[...] : arguments.dropFirst()
        guard let hash = first.isArray ? try defaultHash() : try bucketHash(of: first) else { return .null }
        var sum = BucketWeights()
        for bucket in buckets {
            guard sum.add(bucket) != nil else { return .null }
        }
        guard sum.total <= BucketWeights.maximumTotal else { return .null }
        let place = (UInt64(hash) * sum.total) >> 32
        note(hash: hash, place: place, of: sum.total)
        var end = BucketWeights()
        for bucket in buckets {
            let name = end.add(bucket)
            if place < end.total { return name ?? .null }
        }
        return .null
    }

    /// Notes for `explain` where a hash falls.
    func note(hash: UInt32, place: UInt64, of total: UInt64) {
        guard let tracer else { return }
        tracer.note("hash", hash)
        tracer.note("bucket", place)
        tracer.note("of", total)
    }

    /// The hash of what the rule says to bucket by; nil when that cannot be bucketed.
    private mutating func bucketHash(of subject: Operand) throws(RuleFailure) -> UInt32? {
        switch (tables.fractional, subject) {
        case (.v2, .string(let bytes)): return MurmurHash3.hash(bytes)
        case (.v2, .null): return try defaultHash()
        case (.v2, _), (.v3, .null): return nil
        case (.v3, _):
            var cbor = CanonicalCBOR()
            try cbor.encode(subject, &scratch)
            return cbor.hasher.finalized()
        }
    }

    /// The hash of the flag's key and the targeting key together; nil without a targeting key.
    mutating func defaultHash() throws(RuleFailure) -> UInt32? {
        let key = context.targetingKey ?? context.attributes?["targetingKey"]?.stringBytes
        guard let key, !key.isEmpty else { return nil }
        switch tables.fractional {
        case .v2:
            var hasher = MurmurHash3()
            hasher.update(tables.flagKey)
            hasher.update(key)
            return hasher.finalized()
        case .v3:
            var cbor = CanonicalCBOR()
            cbor.encodeHead(major: 4, 2)
            cbor.encode(text: tables.flagKey)
            cbor.encode(text: key)
            return cbor.hasher.finalized()
        }
    }
}
