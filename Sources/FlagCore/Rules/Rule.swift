import JSON

/// Memory that a rule's tables lie in, freed with it.
final class RuleMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// A copy of `elements` at a fixed address. The elements must be trivial: they are never deinitialised.
    func keep<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        memory.initialize(from: elements, count: elements.count)
        blocks.append(UnsafeMutableRawPointer(memory))
        return memory
    }

    /// A copy of `bytes` at a fixed address.
    func keep(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: keep(Array(bytes)), count: bytes.count)
    }

    /// A copy of `bytes` at a fixed address.
    func keep(bytes: [UInt8]) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: keep(bytes), count: bytes.count)
    }

    /// A copy of `text` at a fixed address.
    func keep(utf8 text: String) -> UnsafeRawBufferPointer {
        var text = text
        return text.withUTF8 { keep(UnsafeRawBufferPointer($0)) }
    }

    /// A copy of `value` that depends on nothing but this memory and the views it was made of.
    func keep(_ value: Operand) -> Operand {
        switch value {
        case .string(let bytes): .string(keep(bytes))
        case .list(let elements):
            .list(UnsafeBufferPointer(start: keep(elements.map { keep($0) }), count: elements.count))
        default: value
        }
    }
}

/// A compiled targeting rule: a tree of nodes with constants folded, and the tables they refer to.
///
/// Points into the document it was compiled from, which it keeps.
final class Rule {
    /// What evaluation reads.
    let tables: RuleTables
    /// What nodes that could not be understood say.
    let messages: [String]
    /// Whether the answer may depend on the clock.
    let readsTimestamp: Bool
    /// Whether the rule names segments.
    let namesSegments: Bool
    /// How many operations and values it has: what compiling it costs.
    let nodeCount: Int

    private let memory = RuleMemory()
    private let document: JSONDocument
    private let rollout: RolloutPlan?
    private let pointer: JSONPointer
    /// The rule that this one traces, whose memory holds the flag's key.
    private let original: Rule?

    /// Compiles a rule; nil when it is nested too deeply to be read.
    ///
    /// - Parameters:
    ///   - flagKey: the key of the flag, or the name of the segment whose condition it is.
    ///   - rollout: the rollout that the rule was made of.
    ///   - member: the member of the definition that the rule stands in, for messages.
    init?(
        _ targeting: JSONValue, flagKey: String, fractional: FractionalVersion, rollout: RolloutPlan? = nil,
        member: String = "targeting"
    ) {
        guard let document = try? JSONDocument(rule: targeting) else { return nil }
        self.document = document
        self.rollout = rollout
        original = nil
        pointer = JSONPointer().appending(rollout == nil ? member : "rollout")
        let compiler = RuleCompiler(document.root, at: pointer, isRollout: rollout != nil)
        messages = compiler.messages
        readsTimestamp = compiler.readsTimestamp
        namesSegments = !compiler.segments.isEmpty
        nodeCount = compiler.nodes.count
        var folding = RuleFolding(compiler, flagKey: memory.keep(utf8: flagKey), fractional: fractional, in: memory)
        var tables = folding.folded()
        tables.rollout = rollout.map { Unmanaged.passUnretained($0) }
        self.tables = tables
    }

    /// The same rule with every operator traced, and nothing worked out beforehand.
    init(tracing rule: Rule) {
        document = rule.document
        rollout = rule.rollout
        pointer = rule.pointer
        let compiler = RuleCompiler(document.root, at: pointer, isRollout: rollout != nil)
        messages = compiler.messages
        readsTimestamp = compiler.readsTimestamp
        namesSegments = rule.namesSegments
        nodeCount = rule.nodeCount
        tables = RuleTables(tracing: compiler, as: rule.tables, in: memory)
        original = rule
    }

    /// What a failed evaluation answers.
    ///
    /// - Parameter steps: how many steps it was allowed.
    func error(for failure: RuleFailure, steps: Int) -> EvaluationError {
        switch failure {
        case .notUnderstood(let message):
            EvaluationError(code: .parseError, details: messages[message])
        case .tooManySteps where steps < RuleLimits.standard.steps:
            EvaluationError(
                code: .general,
                details: "the rules of this request take more than \(RuleLimits.standard.requestSteps) steps together")
        case .tooManySteps:
            EvaluationError(
                code: .general, details: "the targeting rule takes more than \(RuleLimits.standard.steps) steps")
        case .segmentsTooDeep:
            EvaluationError(
                code: .general,
                details: "segments refer to each other deeper than \(SegmentReference.depthMaximum), or in a circle")
        case .valueTooDeep:
            EvaluationError(
                code: .general,
                details: "the targeting rule makes a list nested deeper than \(RuleLimits.standard.valueDepth)")
        case .tooMuchMemory:
            EvaluationError(
                code: .general,
                details: "the targeting rule computes more than \(RuleLimits.standard.scratchBytes) bytes")
        }
    }
}
