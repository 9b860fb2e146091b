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
            hash = try isOfContext(argument(node, 0)) ? sharedHash(of: subject) : bucketHash(of: subject)
        } else {
            hash = try defaultHash()
        }
        guard let hash else { return .null }
        let bucket = (UInt64(hash) * table.total) >> 32
        try step(table.buckets.count / 8)
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
            try step()
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

    /// Whether an argument is a variable of the context, whose bytes stay where they are until the request is answered.
    @inline(__always)
    private func isOfContext(_ argument: UnsafePointer<RuleNode>) -> Bool {
        guard argument.pointee.operation == .variable, argument.pointee.argumentCount == 0 else { return false }
        if case .context = scope { return true }
        return false
    }

    /// The hash of a text of the context, made once for all flags of a request that bucket by it.
    private mutating func sharedHash(of subject: Operand) throws(RuleFailure) -> UInt32? {
        guard let text = subject.stringBytes else { return try bucketHash(of: subject) }
        if let hashedSubject, hashedSubject.isOf(text, tables.fractional) { return hashedSubject.hash }
        guard let hash = try bucketHash(of: subject) else { return nil }
        hashedSubject = HashedSubject(
            start: text.baseAddress, count: text.count, version: tables.fractional, hash: hash)
        return hash
    }

    /// The hash of what the rule says to bucket by; nil when that cannot be bucketed.
    private mutating func bucketHash(of subject: Operand) throws(RuleFailure) -> UInt32? {
        switch (tables.fractional, subject) {
        case (.v2, .string(let bytes)):
            try step(bytes.count / Work.scannedBytesPerStep)
            return MurmurHash3.hash(bytes)
        case (.v2, .null): return try defaultHash()
        case (.v2, _), (.v3, .null): return nil
        case (.v3, _):
            var cbor = CanonicalCBOR()
            try encode(subject, to: &cbor)
            return cbor.hasher.finalized()
        }
    }

    /// The hash of the flag's key and the targeting key together; nil without a targeting key.
    mutating func defaultHash() throws(RuleFailure) -> UInt32? {
        let key = context.targetingKey ?? context.attributes?["targetingKey"]?.stringBytes
        guard let key, !key.isEmpty else { return nil }
        try step((tables.flagKey.count + key.count) / Work.scannedBytesPerStep)
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

/// A text of the context and its hash, known by where the text lies: valid while the request's body is.
struct HashedSubject {
    let start: UnsafeRawPointer?
    let count: Int
    let version: FractionalVersion
    let hash: UInt32

    /// Whether it is the hash of this text.
    func isOf(_ text: UnsafeRawBufferPointer, _ version: FractionalVersion) -> Bool {
        start == text.baseAddress && count == text.count && version == self.version
    }
}
