/// Works out beforehand what does not depend on the context: operations on constants, sets, versions, buckets.
struct RuleFolding {
    private var tables: RuleTables
    private let memory: RuleMemory
    private var sets: [ConstantSet] = []
    private var versions: [VersionTest] = []
    private var buckets: [BucketTable] = []

    init(
        _ compiler: RuleCompiler, flagKey: UnsafeRawBufferPointer, fractional: FractionalVersion, in memory: RuleMemory
    ) {
        self.memory = memory
        tables = RuleTables(
            nodes: memory.keep(compiler.nodes), paths: memory.keep(compiler.paths), names: memory.keep(compiler.names),
            sets: memory.keep([]), versions: memory.keep([]), buckets: memory.keep([]), flagKey: flagKey,
            fractional: fractional)
    }

    /// The tables after folding.
    mutating func folded() -> RuleTables {
        fold(0)
        tables.sets = UnsafePointer(memory.keep(sets))
        tables.versions = UnsafePointer(memory.keep(versions))
        tables.buckets = UnsafePointer(memory.keep(buckets))
        return tables
    }

    private func arguments(of node: RuleNode) -> Range<Int> {
        Int(node.firstArgument)..<Int(node.firstArgument) + Int(node.argumentCount)
    }

    private func constant(_ index: Int) -> Operand? {
        tables.nodes[index].operation == .constant ? tables.nodes[index].constant : nil
    }

    /// Folds node `index`, its arguments first.
    private mutating func fold(_ index: Int) {
        let arguments = arguments(of: tables.nodes[index])
        for argument in arguments { fold(argument) }
        let operation = tables.nodes[index].operation
        if operation.dependsOnArgumentsOnly, arguments.allSatisfy({ constant($0) != nil }) {
            return replaceByValue(index)
        }
        switch operation {
        case .contains where arguments.count == 2: foldContains(index, list: arguments.lowerBound + 1)
        case .semanticVersion where arguments.count == 3: foldVersion(index, arguments.lowerBound)
        case .fractional: foldBuckets(index, arguments)
        default: break
        }
    }

    private mutating func replaceByValue(_ index: Int) {
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { stack in
            var evaluator = RuleEvaluator(
                tables: tables, context: EvaluationContext(attributes: nil), now: Timestamp(millisecondsSinceEpoch: 0),
                scratch: ScratchMemory(first: stack, limit: RuleLimits.standard.scratchBytes))
            defer { evaluator.scratch.deallocate() }
            // A rule that fails even on constants fails when it is evaluated.
            guard let value = try? evaluator.evaluate(tables.nodes + index) else { return }
            tables.nodes[index] = RuleNode(constant: memory.keep(value))
        }
    }

    private mutating func foldContains(_ index: Int, list: Int) {
        guard let list = constant(list), list.isArray else { return }
        tables.nodes[index].operation = .containsConstant
        tables.nodes[index].detail = UInt32(sets.count)
        sets.append(ConstantSet(list, in: memory))
    }

    private mutating func foldVersion(_ index: Int, _ first: Int) {
        guard let symbol = constant(first + 1)?.stringBytes, let comparison = VersionComparison(symbol),
            let text = constant(first + 2)?.stringBytes, let version = SemanticVersion(text)
        else { return }
        tables.nodes[index].operation = .semanticVersionConstant
        tables.nodes[index].detail = UInt32(versions.count)
        versions.append(VersionTest(comparison: comparison, version: version))
    }

    private mutating func foldBuckets(_ index: Int, _ arguments: Range<Int>) {
        guard let first = arguments.first else { return }
        // A list of computed parts is no subject either, but its weights are not constant.
        let hasSubject = tables.nodes[first].operation != .list && !(constant(first)?.isArray ?? false)
        var weights = BucketWeights()
        var table: [(end: UInt64, name: Operand)] = []
        for argument in arguments.dropFirst(hasSubject ? 1 : 0) {
            guard let bucket = constant(argument), let name = weights.add(bucket) else { return }
            table.append((weights.total, name))
        }
        guard weights.total > 0, weights.total <= BucketWeights.maximumTotal else { return }
        tables.nodes[index].operation = .fractionalConstant
        tables.nodes[index].detail = UInt32(buckets.count)
        let kept = UnsafeBufferPointer(start: UnsafePointer(memory.keep(table)), count: table.count)
        buckets.append(BucketTable(total: weights.total, buckets: kept, hasSubject: hasSubject))
    }
}

extension RuleOperation {
    /// Whether constant arguments make a constant result.
    fileprivate var dependsOnArgumentsOnly: Bool {
        switch self {
        case .constant, .variable, .computedVariable, .missing, .missingSome: false
        case .fractional, .fractionalConstant, .containsConstant, .semanticVersionConstant, .notUnderstood: false
        case .segment, .rollout, .businessHours, .traced: false
        default: !hasBody
        }
    }
}
