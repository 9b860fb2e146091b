import Bytes
import JSON

/// Turns the JSON of a targeting rule into nodes, and finds everything that is wrong with it.
///
/// What cannot be understood becomes a node that stops evaluation, so that a rule that was kept in spite of its issues
/// is evaluated as flagd does: it fails only where such a place is reached.
struct RuleCompiler {
    private(set) var nodes: [RuleNode] = []
    private(set) var paths: [VariablePath] = []
    private(set) var names: [PathName] = []
    /// What `notUnderstood` nodes say.
    private(set) var messages: [String] = []
    private(set) var issues: [DefinitionIssue] = []
    private(set) var readsTimestamp = false
    /// The segments that the rule names, once for each place.
    private(set) var segments: [SegmentReference] = []

    private var pointer: JSONPointer
    private let limits: RuleLimits
    private let isRollout: Bool
    private var isTooLarge = false
    /// Whether variables are looked up in an element, not in the context.
    private var isInBody = false

    /// Compiles `rule`; the root is node 0.
    ///
    /// - Parameters:
    ///   - rule: a view that outlives the nodes: they point into its text.
    ///   - pointer: where the rule stands in the document that the issues are to point into.
    ///   - isRollout: whether it is the rule of a rollout, which has operators of its own.
    init(_ rule: JSONView, at pointer: JSONPointer, isRollout: Bool = false, limits: RuleLimits = .standard) {
        self.isRollout = isRollout
        self.pointer = pointer
        self.limits = limits
        let root = reserve(1)
        compile(rule, into: root)
        if isTooLarge { report("the rule is too large: at most \(limits.nodes) operations and values") }
    }

    /// Notes an issue at the current place.
    private mutating func report(_ message: String) {
        issues.append(DefinitionIssue(pointer: pointer.description, message: message))
    }

    /// Notes an issue at a place below the current one.
    private mutating func report(_ message: String, argument index: Int) {
        pointer.append(index)
        report(message)
        pointer.removeLast()
    }

    private mutating func reserve(_ count: Int) -> Int {
        let first = nodes.count
        guard !isTooLarge, first + count <= limits.nodes else {
            isTooLarge = true
            return 0
        }
        for _ in 0..<count { nodes.append(RuleNode(constant: .null)) }
        return first
    }

    /// Makes node `index` one that stops evaluation.
    private mutating func stop(_ index: Int, _ message: String) {
        nodes[index] = RuleNode(.notUnderstood, detail: messages.count)
        messages.append("\(pointer): \(message)")
    }

    // MARK: Values

    private mutating func compile(_ value: JSONView, into index: Int) {
        switch value.kind {
        case .object where value.count == 1:
            compileOperation(value, into: index)
        case .object:
            if value.count > 1 { reportOperators(of: value) }
            nodes[index] = RuleNode(constant: Operand(value))
        case .array where value.holdsOperation:
            compile(arguments: Array(value.elements), isArray: true, into: index, RuleNode(.list))
        default:
            nodes[index] = RuleNode(constant: Operand(value))
        }
    }

    private mutating func compile(arguments: [JSONView], isArray: Bool, into index: Int, _ node: RuleNode) {
        let first = reserve(arguments.count)
        guard !isTooLarge else { return stop(index, "the rule is too large") }
        nodes[index] = node
        nodes[index].firstArgument = UInt32(first)
        nodes[index].argumentCount = UInt32(arguments.count)
        for (offset, argument) in arguments.enumerated() {
            let wasInBody = isInBody
            if isArray { pointer.append(offset) }
            if offset == 1, node.operation.hasBody { isInBody = true }
            compile(argument, into: first + offset)
            isInBody = wasInBody
            if isArray { pointer.removeLast() }
        }
    }

    // MARK: Operations

    private mutating func reportOperators(of object: JSONView) {
        let names = object.members.prefix(5).map { String(decoding: $0.name.prefix(50), as: UTF8.self) }
        let list = names.joined(separator: ", ") + (object.count > names.count ? ", …" : "")
        report("an operation has one operator; this object has \(object.count) members: \(list)")
    }

    private mutating func compileOperation(_ value: JSONView, into index: Int) {
        for member in value.members {
            let name = String(decoding: member.name, as: UTF8.self)
            pointer.append(name)
            defer { pointer.removeLast() }
            let rolloutSyntax = isRollout ? OperatorSyntax.ofRollout(named: name) : nil
            guard let syntax = rolloutSyntax ?? OperatorSyntax.named(name) else {
                let message =
                    name == "$ref"
                    ? "unresolved reference: it names no evaluator, leads back to itself, or grows too large"
                    : "unknown operator \"\(name)\""
                report(message)
                stop(index, message)
                return
            }
            let isArray = member.value.kind == .array
            let arguments = isArray ? Array(member.value.elements) : [member.value]
            if !syntax.arguments.contains(arguments.count) {
                report("\"\(name)\" takes \(syntax.arguments.inWords), not \(arguments.count)")
            }
            switch syntax.operation {
            case .computedVariable:
                compileVariable(arguments, isArray: isArray, into: index)
            case .segment where arguments.first?.stringBytes?.isEmpty ?? true:
                // Which segments a rule needs must be known before it is evaluated.
                report("must begin with the name of a segment, a string")
                stop(index, "the segment has no constant name")
            default:
                note(syntax.operation, arguments)
                check(syntax.operation, arguments)
                compile(arguments: arguments, isArray: isArray, into: index, RuleNode(syntax.operation))
            }
        }
    }

    /// Takes note of the segment that an operation names.
    private mutating func note(_ operation: RuleOperation, _ arguments: [JSONView]) {
        guard operation == .segment, let name = arguments.first?.string else { return }
        segments.append(SegmentReference(name: name, pointer: pointer.description))
    }

    private mutating func compileVariable(_ arguments: [JSONView], isArray: Bool, into index: Int) {
        guard let path = arguments.first else {
            nodes[index] = RuleNode(.variable, detail: addPath(UnsafeRawBufferPointer(start: nil, count: 0)))
            return
        }
        let node: RuleNode
        switch path.kind {
        case .string:
            node = RuleNode(.variable, detail: addPath(path.storedBytes))
        case .number where path.isIntegerSpelling:
            node = RuleNode(.variable, detail: addPath(path.storedBytes))
        case .null:
            node = RuleNode(.variable, detail: addPath(UnsafeRawBufferPointer(start: nil, count: 0)))
        default:
            // The path is only known when the rule is evaluated; it may be any.
            readsTimestamp = true
            return compile(arguments: arguments, isArray: isArray, into: index, RuleNode(.computedVariable))
        }
        compile(arguments: Array(arguments.dropFirst()), isArray: false, into: index, node)
    }

    /// Splits a path, and gives its number.
    private mutating func addPath(_ text: UnsafeRawBufferPointer) -> Int {
        let first = names.count
        if !text.isEmpty {
            for name in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
                names.append(PathName(UnsafeRawBufferPointer(rebasing: name)))
            }
        }
        let parts = names[first...]
        let root = VariablePath.Root(parts.first?.bytes)
        if !isInBody, root == .everything || root == .flagd, !text.hasSameBytes(as: "$flagd.flagKey") {
            readsTimestamp = true
            if root == .flagd, !text.hasSameBytes(as: "$flagd.timestamp") {
                report(#"flagd knows only "$flagd.flagKey" and "$flagd.timestamp""#)
            }
        }
        paths.append(VariablePath(root: root, firstName: UInt32(first), nameCount: UInt32(parts.count)))
        return paths.count - 1
    }
}

extension RuleOperation {
    /// Whether argument 1 is evaluated for each element of argument 0, with the element as its data.
    var hasBody: Bool {
        switch self {
        case .map, .filter, .reduce, .all, .some, .none: true
        default: false
        }
    }
}

extension VariablePath.Root {
    /// What a path's first name stands for; a path without names stands for everything.
    init(_ name: UnsafeRawBufferPointer?) {
        guard let name else {
            self = .everything
            return
        }
        if name.hasSameBytes(as: "targetingKey") {
            self = .targetingKey
        } else if name.hasSameBytes(as: "tenantId") {
            self = .tenantId
        } else if name.hasSameBytes(as: "$flagd") {
            self = .flagd
        } else {
            self = .attribute
        }
    }
}

extension JSONView {
    /// Whether an array holds an operation, at any depth of arrays.
    fileprivate var holdsOperation: Bool {
        elements.contains { element in
            switch element.kind {
            case .object: element.count == 1
            case .array: element.holdsOperation
            default: false
            }
        }
    }
}

extension ClosedRange<Int> {
    /// `2 arguments`, `1 to 2 arguments`, `1 argument or more`.
    fileprivate var inWords: String {
        if upperBound == Int.max { return "\(lowerBound) argument\(lowerBound == 1 ? "" : "s") or more" }
        if lowerBound == upperBound { return "\(lowerBound) argument\(lowerBound == 1 ? "" : "s")" }
        return "\(lowerBound) to \(upperBound) arguments"
    }
}

// MARK: - What flagd's own operators want

extension RuleCompiler {
    /// Reports constant arguments with which an operator could never do anything.
    private mutating func check(_ operation: RuleOperation, _ arguments: [JSONView]) {
        switch operation {
        case .startsWith, .endsWith:
            for (index, argument) in arguments.enumerated() where argument.kind != .string && !argument.isOperation {
                report("must be a string or an operation", argument: index)
            }
        case .semanticVersion where arguments.count == 3:
            checkVersion(arguments[0], 0)
            checkVersion(arguments[2], 2)
            let symbol = arguments[1].stringBytes.flatMap { VersionComparison($0) }
            if symbol == nil, !arguments[1].isOperation {
                report(#"must be one of "=", "!=", "<", "<=", ">", ">=", "^", "~""#, argument: 1)
            }
        case .fractional: checkBuckets(arguments)
        default: break
        }
    }

    private mutating func checkVersion(_ value: JSONView, _ index: Int) {
        switch value.kind {
        case .string, .number:
            guard SemanticVersion(value.storedBytes) == nil else { return }
            report("is no version as semver.org has it", argument: index)
        default:
            guard !value.isOperation else { return }
            report("must be a version or an operation", argument: index)
        }
    }

    private mutating func checkBuckets(_ arguments: [JSONView]) {
        var total: UInt64 = 0
        for (index, argument) in arguments.enumerated() {
            if index == 0, argument.kind != .array {
                if !argument.isOperation {
                    report("must be an operation or a bucket: a constant puts everybody in one bucket", argument: index)
                }
                continue
            }
            guard argument.kind == .array, (1...2).contains(argument.count) else {
                report("must be a bucket: [name] or [name, weight]", argument: index)
                continue
            }
            guard let weight = argument.element(at: 1) else {
                total += 1
                continue
            }
            if weight.isOperation { continue }
            guard let whole = weight.wholeNumber, !whole.isNegative, whole.magnitude <= BucketWeights.maximumTotal
            else {
                report("a weight must be a whole number from 0 to \(BucketWeights.maximumTotal)", argument: index)
                continue
            }
            total += whole.magnitude
        }
        if total > BucketWeights.maximumTotal {
            report("the sum of the weights must not exceed \(BucketWeights.maximumTotal)")
        }
    }
}

extension JSONView {
    /// Whether this is an operation, so that its value is known only at evaluation.
    fileprivate var isOperation: Bool { kind == .object && count == 1 }
}
