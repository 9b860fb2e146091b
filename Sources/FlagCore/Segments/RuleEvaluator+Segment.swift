import JSON

extension RuleEvaluator {
    /// `segment`: whether the segment lists the second argument, or the targeting key where there is none, or its
    /// condition holds for the context. Nobody is in a segment that does not exist.
    mutating func isInSegment(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Bool {
        guard let name = try value(node, 0).stringBytes, let segment = surroundings?.segment(name) else {
            tracer?.note("exists", false)
            return false
        }
        if let keys = segment.keys {
            let isListed = try lists(keys, node)
            tracer?.note("listed", .bool(isListed))
            if isListed { return true }
        }
        guard let rule = segment.rule else { return false }
        guard segmentDepth < SegmentReference.depthMaximum else { throw .segmentsTooDeep }
        guard let tracer, !tracer.isFull else { return try holds(rule) }
        return try trace(rule, within: tracer)
    }

    private mutating func lists(
        _ keys: any SegmentKeys, _ node: UnsafePointer<RuleNode>
    ) throws(RuleFailure) -> Bool {
        let subject: Operand
        if node.pointee.argumentCount > 1 {
            subject = try value(node, 1)
        } else if let key = context.targetingKey {
            subject = .string(key)
        } else {
            subject = context.attributes?["targetingKey"].map { Operand($0) } ?? .null
        }
        switch subject {
        case .string(let bytes):
            try step(bytes.count / Work.scannedBytesPerStep)
            return keys.contains(bytes)
        // Customer numbers are often sent as numbers.
        case .integer, .number, .spelled:
            let text = try text(of: subject)
            try step(text.count / Work.scannedBytesPerStep)
            return keys.contains(text)
        case .null, .bool, .list, .array, .object, .data: return false
        }
    }

    /// Whether a condition holds for the whole context, wherever the segment was named.
    private mutating func holds(_ condition: Rule) throws(RuleFailure) -> Bool {
        let (outerTables, outerScope) = (tables, scope)
        (tables, scope) = (condition.tables, .context)
        segmentDepth += 1
        defer {
            (tables, scope) = (outerTables, outerScope)
            segmentDepth -= 1
        }
        return try withExtendedLifetime(condition) { () throws(RuleFailure) in
            try isTrue(evaluate(UnsafePointer(tables.nodes)))
        }
    }

    /// The same, with every operator of the condition recorded.
    private mutating func trace(_ rule: Rule, within outer: RuleTracer) throws(RuleFailure) -> Bool {
        // It is compiled again each time.
        try step(rule.nodeCount)
        let inner = RuleTracer(within: outer)
        let traced = Rule(tracing: rule)
        tracer = inner
        defer {
            tracer = outer
            let tables = traced.tables
            let printer = RulePrinter(nodes: UnsafePointer(tables.nodes), paths: tables.paths, names: tables.names)
            outer.note("condition", inner, printer)
        }
        return try holds(traced)
    }
}
