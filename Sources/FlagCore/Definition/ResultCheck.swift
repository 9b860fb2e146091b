import Bytes
import JSON

/// Finds in a targeting rule what it may come to that is no variant of the flag: an evaluation that gets there can only
/// fail.
///
/// It knows what the rule's text says by itself: constants, and what kind of value an operator gives. What a variable
/// holds only run time can know.
struct ResultCheck {
    /// What was found, in the order of the rule.
    private(set) var issues: [DefinitionIssue] = []
    private let variants: [String]
    private var pointer: JSONPointer

    /// Which values of an expression become the rule's result: `and` gives its first argument only where that is
    /// false.
    private struct Passing: OptionSet {
        let rawValue: UInt8
        static let truthy = Passing(rawValue: 1)
        static let falsy = Passing(rawValue: 2)
        static let all: Passing = [.truthy, .falsy]
    }

    /// Checks `rule`, which stands at `pointer`, of a flag with these variants.
    init(_ rule: JSONValue, variants: [String], at pointer: JSONPointer) {
        self.variants = variants
        self.pointer = pointer
        check(rule, .all)
    }

    private mutating func check(_ value: JSONValue, _ passing: Passing) {
        if passing.isEmpty { return }
        guard let object = value.objectValue, object.count == 1, let (name, argument) = object.members.first else {
            return check(constant: value, passing)
        }
        pointer.append(name)
        defer { pointer.removeLast() }
        let isArray = argument.arrayValue != nil
        let arguments = argument.arrayValue ?? [argument]
        switch OperatorSyntax.named(name)?.operation {
        case .choose:
            for index in arguments.indices where index % 2 == 1 || index == arguments.count - 1 {
                check(arguments, index, passing, isArray)
            }
        case .and, .or:
            let early: Passing = name == "and" ? .falsy : .truthy
            for index in arguments.indices {
                let isLast = index == arguments.count - 1
                check(arguments, index, isLast ? passing : passing.intersection(early), isArray)
            }
        // Its default.
        case .computedVariable: if arguments.count > 1 { check(arguments, 1, passing, isArray) }
        case .log: if !arguments.isEmpty { check(arguments, 0, passing, isArray) }
        case .fractional: checkBuckets(arguments, passing)
        case let operation?: check(resultOf: operation, name, passing)
        case nil: break
        }
    }

    private mutating func check(_ arguments: [JSONValue], _ index: Int, _ passing: Passing, _ isArray: Bool) {
        if isArray { pointer.append(index) }
        check(arguments[index], passing)
        if isArray { pointer.removeLast() }
    }

    private mutating func checkBuckets(_ arguments: [JSONValue], _ passing: Passing) {
        for (index, argument) in arguments.enumerated() {
            guard let bucket = argument.arrayValue, !bucket.isEmpty else { continue }
            pointer.append(index)
            check(bucket, 0, passing, true)
            pointer.removeLast()
        }
    }

    // MARK: Values

    private mutating func check(constant: JSONValue, _ passing: Passing) {
        guard passing.contains(constant.countsAsTrue ? .truthy : .falsy) else { return }
        switch constant {
        // The default.
        case .null: break
        case .string(let name): require(name, "\"\(name)\"")
        case .bool(let value): require(value ? "true" : "false", value ? "true" : "false")
        case .number(let number): require(number.textInRules, number.spelling)
        case .array: requireText("a list") { $0.hasPrefix("[") }
        case .object: requireText("an object") { $0.hasPrefix("{") }
        }
    }

    /// What an operator gives whatever its arguments are.
    private mutating func check(resultOf operation: RuleOperation, _ name: String, _ passing: Passing) {
        switch operation.result {
        case .boolean:
            let possible = [(Passing.truthy, "true"), (.falsy, "false")].filter { passing.contains($0.0) }.map(\.1)
            let missing = possible.filter { !variants.contains($0) }
            if missing.isEmpty { return }
            report(
                "comes to \(possible.joined(separator: " or ")), and no variant is called "
                    + "\(missing.joined(separator: " or ")): name variants with "
                    + #"{"if": [{"\#(name)": …}, VARIANT, VARIANT]}"#)
        case .number: requireText("a number") { Double($0) != nil }
        case .list: requireText("a list") { $0.hasPrefix("[") }
        case .unknown: break
        }
    }

    private mutating func require(_ name: String, _ spelling: String) {
        guard !variants.contains(where: { $0.isExactly(name) }) else { return }
        report("\(spelling) is no variant of the flag; \(names)")
    }

    private mutating func requireText(_ what: String, _ isText: (String) -> Bool) {
        if !variants.contains(where: isText) { report("comes to \(what), and no variant is called so; \(names)") }
    }

    private var names: String {
        let listed = 10
        let rest = variants.count > listed ? " and \(variants.count - listed) more" : ""
        return "there are \(variants.prefix(listed).joined(separator: ", "))\(rest)"
    }

    private mutating func report(_ message: String) {
        issues.append(DefinitionIssue(pointer: pointer.description, message: message))
    }
}

extension RuleOperation {
    /// What kind of value an operator gives.
    fileprivate enum Result {
        case boolean, number, list, unknown
    }

    /// What the operator gives, if not null, whatever its arguments are.
    fileprivate var result: Result {
        switch self {
        case .not, .truth, .looseEqual, .looseUnequal, .strictEqual, .strictUnequal, .less, .lessOrEqual, .greater,
            .greaterOrEqual, .contains, .all, .some, .none, .startsWith, .endsWith, .semanticVersion, .segment:
            .boolean
        case .add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum: .number
        case .missing, .missingSome, .merge, .map, .filter: .list
        default: .unknown
        }
    }
}

extension JSONValue {
    /// Whether the value counts as true in a rule.
    fileprivate var countsAsTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let number): number.double != 0
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object: true
        }
    }
}

extension JSONNumber {
    /// The number as a rule's result is written.
    fileprivate var textInRules: String {
        if let whole = int64 { return String(whole) }
        if spelling.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: "-") }) { return spelling }
        return NumberText(double).withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
