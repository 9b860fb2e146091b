import JSON

/// Evaluates the nodes of one rule for one context.
struct RuleEvaluator {
    /// What variables are looked up in.
    enum Scope {
        /// The context.
        case context
        /// An element, inside `map`, `filter`, `all`, `some` and `none`.
        case element(Operand)
        /// Inside `reduce`.
        case reduction(current: Operand, accumulator: Operand)
    }

    /// The rule's, or those of the segment whose condition is being evaluated.
    var tables: RuleTables
    let context: EvaluationContext
    let now: Timestamp
    var scratch: ScratchMemory
    var scope = Scope.context
    private(set) var remainingSteps: Int
    /// The first instant at which the result may change although nothing else does, as far as rollouts decide it.
    private(set) var nextChange: Timestamp?
    /// Where `traced` nodes are recorded; ordinary rules have none.
    unowned(unsafe) var tracer: RuleTracer?
    /// Where segments are found; only rules that name some have it.
    unowned(unsafe) var surroundings: (any EvaluationSurroundings)?
    /// How many conditions of segments are being evaluated, one inside the other.
    var segmentDepth = 0
    /// How deep in a value a walk is.
    private var valueDepth = 0
    /// The subject that was hashed last; handed from evaluation to evaluation of one request.
    var hashedSubject: HashedSubject?

    /// An evaluator for one evaluation.
    ///
    /// - Parameters:
    ///   - scratch: to be given back by the caller, when nothing of the result is needed any more.
    ///   - steps: how many steps it may take.
    init(
        tables: RuleTables, context: EvaluationContext, now: Timestamp, scratch: ScratchMemory,
        steps: Int = RuleLimits.standard.steps
    ) {
        self.tables = tables
        self.context = context
        self.now = now
        self.scratch = scratch
        remainingSteps = steps
    }

    /// Takes `count` steps off what this evaluation may take.
    @inline(__always)
    mutating func step(_ count: Int = 1) throws(RuleFailure) {
        remainingSteps -= count
        if remainingSteps < 0 { throw .tooManySteps }
    }

    /// Goes one level into a value that is walked over, with one step; `leave` comes back from it.
    mutating func enter() throws(RuleFailure) {
        guard valueDepth < RuleLimits.standard.valueDepth else { throw .valueTooDeep }
        try step()
        valueDepth += 1
    }

    /// Comes back from where `enter` went.
    mutating func leave() { valueDepth -= 1 }

    /// Takes note of an instant at which something that was looked at changes.
    mutating func note(nextChange instant: Timestamp?) {
        guard let instant else { return }
        nextChange = min(nextChange ?? instant, instant)
    }

    /// Argument `index` of a node, evaluated; null when there are fewer.
    @inline(__always)
    mutating func value(_ node: UnsafePointer<RuleNode>, _ index: Int) throws(RuleFailure) -> Operand {
        guard index < Int(node.pointee.argumentCount) else { return .null }
        return try evaluate(argument(node, index))
    }

    /// Argument `index` of a node, which has one.
    @inline(__always)
    func argument(_ node: UnsafePointer<RuleNode>, _ index: Int) -> UnsafePointer<RuleNode> {
        UnsafePointer(tables.nodes) + Int(node.pointee.firstArgument) + index
    }

    /// All arguments of a node, evaluated, in scratch memory.
    mutating func values(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> UnsafeBufferPointer<Operand> {
        let count = Int(node.pointee.argumentCount)
        let list = try scratch.allocateList(count)
        for index in 0..<count { list.initializeElement(at: index, to: try evaluate(argument(node, index))) }
        return UnsafeBufferPointer(list)
    }

    /// The value of a node. Constants, which half of all nodes are, cost no call.
    @inline(__always)
    mutating func evaluate(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        if node.pointee.operation == .constant { return node.pointee.constant }
        return try evaluateOperation(node)
    }

    /// The value of a node that is no constant.
    @inline(never)
    private mutating func evaluateOperation(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        try step()
        switch node.pointee.operation {
        case .constant: return node.pointee.constant
        case .variable: return try variable(node)
        case .choose: return try choose(node)
        case .and: return try firstArgument(node, thatIs: false)
        case .or: return try firstArgument(node, thatIs: true)
        case .not: return .bool(try !isTrue(value(node, 0)))
        case .truth: return .bool(try isTrue(value(node, 0)))
        case .looseEqual: return .bool(try isLooselyEqual(value(node, 0), value(node, 1)))
        case .looseUnequal: return .bool(try !isLooselyEqual(value(node, 0), value(node, 1)))
        case .strictEqual: return .bool(try isStrictlyEqual(value(node, 0), value(node, 1)))
        case .strictUnequal: return .bool(try !isStrictlyEqual(value(node, 0), value(node, 1)))
        case .less, .lessOrEqual, .greater, .greaterOrEqual: return .bool(try isOrdered(node))
        case .containsConstant: return .bool(try isMember(value(node, 0), of: tables.sets[Int(node.pointee.detail)]))
        case .semanticVersionConstant: return try semanticVersionTest(node)
        case .fractionalConstant: return try constantFractional(node)
        case .startsWith, .endsWith: return try hasAffix(node)
        case .notUnderstood: throw .notUnderstood(Int(node.pointee.detail))
        default: return try evaluateRarer(node)
        }
    }

    /// The operations that are not on every request's way.
    @inline(never)
    private mutating func evaluateRarer(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        switch node.pointee.operation {
        case .list: return .list(try values(node))
        case .computedVariable: return try computedVariable(node)
        case .missing: return try missing(node)
        case .missingSome: return try missingSome(node)
        case .add, .multiply: return try accumulated(node)
        case .subtract, .divide, .remainder: return try difference(node)
        case .minimum, .maximum: return try extremum(node)
        case .concatenate: return try concatenation(node)
        case .substring: return try substring(node)
        case .contains: return .bool(try contains(node))
        case .merge: return try merged(node)
        case .map, .filter: return try transformed(node)
        case .reduce: return try reduced(node)
        case .all, .some, .none: return .bool(try isMatched(node))
        case .log: return try value(node, 0)
        case .semanticVersion: return try semanticVersion(node)
        case .fractional: return try fractional(node)
        case .segment: return .bool(try isInSegment(node))
        case .traced: return try traced(node)
        case .rollout: return try rolloutMembership()
        case .businessHours: return .bool(isWithinBusinessHours())
        default: return .null
        }
    }

    // MARK: Decisions

    /// `if`: pairs of condition and value, then a value for when no condition holds.
    private mutating func choose(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let count = Int(node.pointee.argumentCount)
        var index = 0
        while index + 1 < count {
            if try isTrue(evaluate(argument(node, index))) { return try evaluate(argument(node, index + 1)) }
            index += 2
        }
        return index < count ? try evaluate(argument(node, index)) : .null
    }

    /// `and`, `or`: the first argument that is false or true, else the last one.
    private mutating func firstArgument(
        _ node: UnsafePointer<RuleNode>, thatIs truth: Bool
    ) throws(RuleFailure) -> Operand {
        var last = Operand.null
        for index in 0..<Int(node.pointee.argumentCount) {
            last = try evaluate(argument(node, index))
            if try isTrue(last) == truth { break }
        }
        return last
    }
}
