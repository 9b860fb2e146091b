/// What a node of a rule does.
enum RuleOperation: UInt8 {
    // Values.
    case constant, list, variable, computedVariable, missing, missingSome
    // Decisions.
    case choose, and, or, not, truth
    // Comparisons.
    case looseEqual, looseUnequal, strictEqual, strictUnequal, less, lessOrEqual, greater, greaterOrEqual
    // Numbers.
    case add, subtract, multiply, divide, remainder, minimum, maximum
    // Texts and lists.
    case concatenate, substring, contains, merge, map, filter, reduce, all, some, none, log
    // flagd's own.
    case startsWith, endsWith, semanticVersion, fractional
    // Named conditions.
    case segment
    // What a simple flag's rollout is compiled to.
    case rollout, businessHours
    // What the compiler made of others because their arguments are constant.
    case containsConstant, semanticVersionConstant, fractionalConstant
    /// Evaluates the node that is its argument, and records that: `explain` wraps every operator so.
    case traced
    /// What could not be understood: evaluation stops here.
    case notUnderstood
}

/// One node of a rule's tree. A node's arguments lie side by side.
///
/// The value comes first: in this order the members take 32 bytes, two nodes to a line of the processor's cache.
struct RuleNode {
    /// The value of a constant.
    var constant = Operand.null
    /// What the node does.
    var operation: RuleOperation
    /// Which entry of the operation's table belongs to it.
    var detail: UInt32 = 0
    /// The number of the first argument's node.
    var firstArgument: UInt32 = 0
    /// How many arguments there are.
    var argumentCount: UInt32 = 0

    /// A node without arguments.
    init(_ operation: RuleOperation, detail: Int = 0) {
        self.operation = operation
        self.detail = UInt32(truncatingIfNeeded: detail)
    }

    /// A constant.
    init(constant: Operand) {
        operation = .constant
        self.constant = constant
    }
}

/// A variable's path, split at its points.
struct VariablePath {
    /// What the first name stands for when the path begins at the context.
    enum Root: UInt8 {
        case attribute, targetingKey, tenantId, flagd, everything
    }

    /// What the first name stands for.
    var root: Root
    /// The number of the first name.
    var firstName: UInt32
    /// How many names there are.
    var nameCount: UInt32
}

/// One name of a variable's path.
struct PathName {
    /// The name as a member of an object.
    let bytes: UnsafeRawBufferPointer
    /// The name as the index of an array; negative when it is none.
    let index: Int

    /// A name.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        var value = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10, value < 100_000_000 else {
                index = -1
                return
            }
            value = value * 10 + Int(digit)
        }
        // "", "01" and the like are no indexes.
        index = bytes.isEmpty || (bytes.count > 1 && bytes[0] == UInt8(ascii: "0")) ? -1 : value
    }
}

/// A constant right side of `sem_ver`.
struct VersionTest {
    let comparison: VersionComparison
    let version: SemanticVersion
}

/// A `fractional` whose buckets are all constant and valid.
struct BucketTable {
    /// The sum of all weights.
    let total: UInt64
    /// Where each bucket ends, and its name.
    let buckets: UnsafeBufferPointer<(end: UInt64, name: Operand)>
    /// Whether the node's first argument says what to bucket by.
    let hasSubject: Bool
}

/// The tables of a rule, as the evaluator reads them: bare pointers into the rule's memory.
struct RuleTables {
    var nodes: UnsafeMutablePointer<RuleNode>
    var paths: UnsafePointer<VariablePath>
    var names: UnsafePointer<PathName>
    var sets: UnsafePointer<ConstantSet>
    var versions: UnsafePointer<VersionTest>
    var buckets: UnsafePointer<BucketTable>
    /// The flag's key.
    var flagKey: UnsafeRawBufferPointer
    /// How `fractional` hashes.
    var fractional: FractionalVersion
    /// The rollout that the rule was made of; kept by the rule.
    var rollout: Unmanaged<RolloutPlan>?
}
