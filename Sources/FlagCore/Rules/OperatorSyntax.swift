/// An operator as it is written: what it compiles to, and how many arguments flagd's schema lets it have.
struct OperatorSyntax {
    /// What it compiles to.
    let operation: RuleOperation
    /// How many arguments it may have.
    let arguments: ClosedRange<Int>

    /// The operator of this name; nil when there is none.
    static func named(_ name: String) -> OperatorSyntax? { all[name] }

    /// The operator of this name in the rule of a rollout, which nobody writes by hand.
    static func ofRollout(named name: String) -> OperatorSyntax? {
        switch name {
        case "rollout": OperatorSyntax(.rollout, 0...0)
        case "businessHours": OperatorSyntax(.businessHours, 0...0)
        default: nil
        }
    }

    /// The names of all operators that a rule may have.
    static var allNames: Set<String> { Set(all.keys) }

    /// The name that an operation is printed with; nil for values and for what could not be understood.
    static func name(of operation: RuleOperation) -> String? {
        switch operation {
        case .variable: "var"
        case .choose: "if"
        case .containsConstant: "in"
        case .semanticVersionConstant: "sem_ver"
        case .fractionalConstant: "fractional"
        case .rollout: "rollout"
        case .businessHours: "businessHours"
        default: names[operation]
        }
    }

    private init(_ operation: RuleOperation, _ arguments: ClosedRange<Int>) {
        self.operation = operation
        self.arguments = arguments
    }

    private static let any = 0...Int.max
    private static let some = 1...Int.max

    private static let names = Dictionary(all.map { ($0.value.operation, $0.key) }) { min($0, $1) }

    private static let all: [String: OperatorSyntax] = [
        "var": OperatorSyntax(.computedVariable, 0...2),
        "missing": OperatorSyntax(.missing, any),
        "missing_some": OperatorSyntax(.missingSome, 2...2),
        "if": OperatorSyntax(.choose, some),
        "?:": OperatorSyntax(.choose, some),
        "and": OperatorSyntax(.and, some),
        "or": OperatorSyntax(.or, some),
        "!": OperatorSyntax(.not, 0...1),
        "!!": OperatorSyntax(.truth, 0...1),
        "==": OperatorSyntax(.looseEqual, 2...2),
        "!=": OperatorSyntax(.looseUnequal, 2...2),
        "===": OperatorSyntax(.strictEqual, 2...2),
        "!==": OperatorSyntax(.strictUnequal, 2...2),
        "<": OperatorSyntax(.less, 2...3),
        "<=": OperatorSyntax(.lessOrEqual, 2...3),
        ">": OperatorSyntax(.greater, 2...2),
        ">=": OperatorSyntax(.greaterOrEqual, 2...2),
        "+": OperatorSyntax(.add, some),
        "-": OperatorSyntax(.subtract, 1...2),
        "*": OperatorSyntax(.multiply, some),
        "/": OperatorSyntax(.divide, 2...2),
        "%": OperatorSyntax(.remainder, 2...2),
        "min": OperatorSyntax(.minimum, some),
        "max": OperatorSyntax(.maximum, some),
        "cat": OperatorSyntax(.concatenate, any),
        "substr": OperatorSyntax(.substring, 2...3),
        "in": OperatorSyntax(.contains, 2...2),
        "merge": OperatorSyntax(.merge, any),
        "map": OperatorSyntax(.map, 2...2),
        "filter": OperatorSyntax(.filter, 2...2),
        "reduce": OperatorSyntax(.reduce, 2...3),
        "all": OperatorSyntax(.all, 2...2),
        "some": OperatorSyntax(.some, 2...2),
        "none": OperatorSyntax(.none, 2...2),
        "log": OperatorSyntax(.log, 1...1),
        "starts_with": OperatorSyntax(.startsWith, 2...2),
        "ends_with": OperatorSyntax(.endsWith, 2...2),
        "sem_ver": OperatorSyntax(.semanticVersion, 3...3),
        "fractional": OperatorSyntax(.fractional, some),
        "segment": OperatorSyntax(.segment, 1...2),
    ]
}
