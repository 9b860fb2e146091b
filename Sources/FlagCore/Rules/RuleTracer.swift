import JSON

/// Records what each operator of a rule was given and came to, for `explain`.
///
/// The rule's operators are wrapped in `traced` nodes for this; an ordinary evaluation has none and pays nothing.
final class RuleTracer {
    /// One evaluation of one operator.
    private struct Record {
        /// The number of the wrapped node.
        let node: Int
        /// The record of the operator whose argument this is, -1 for the rule itself.
        let parent: Int
        var result: JSONValue?
        /// What is worth knowing beside the arguments.
        var notes: [(name: String, value: JSONValue)] = []
    }

    /// How many evaluations of operators are recorded.
    static let recordsMaximum = 1_000
    private let limit: Int
    /// How many values all records may hold together.
    private static let valuesMaximum = 10_000
    /// How deep a value is shown.
    private static let valueDepth = 64
    /// How many bytes of a text are shown.
    private static let textBytes = 500

    private var records: [Record] = []
    private var open: [Int] = []
    private var remainingValues = RuleTracer.valuesMaximum
    /// Whether some of it was left out because there was too much.
    private(set) var isCut = false

    /// A tracer that has recorded nothing.
    init() { limit = Self.recordsMaximum }

    /// A tracer for the condition of a segment, with what `outer` has left to record.
    init(within outer: RuleTracer) {
        limit = max(0, outer.limit - outer.records.count - outer.nestedRecords)
        remainingValues = outer.remainingValues
    }

    /// How many records tracers within this one have made.
    private var nestedRecords = 0

    /// Notes what a tracer within this one has recorded, with the evaluation begun last.
    func note(_ name: String, _ inner: RuleTracer, _ printer: RulePrinter) {
        nestedRecords += inner.records.count + inner.nestedRecords
        if inner.isCut { isCut = true }
        note(name, inner.json(printer))
        remainingValues = inner.remainingValues
    }

    /// Whether nothing more is recorded.
    var isFull: Bool { records.count + nestedRecords >= limit }

    /// Begins the evaluation of an operator.
    func begin(_ node: Int) {
        guard !isFull else {
            isCut = true
            return open.append(-1)
        }
        records.append(Record(node: node, parent: open.last ?? -1))
        open.append(records.count - 1)
    }

    /// Ends the evaluation begun last; without a result when it failed.
    func end(_ result: Operand?) {
        guard let index = open.popLast(), index >= 0 else { return }
        records[index].result = result.map { value($0) }
    }

    /// Notes something with the evaluation begun last.
    func note(_ name: String, _ value: some BinaryInteger) { note(name, .integer(value)) }

    /// The same for any value.
    func note(_ name: String, _ value: JSONValue) {
        guard let index = open.last, index >= 0 else { return }
        records[index].notes.append((name, value))
    }

    /// A value as JSON, cut where it is too much to be read.
    private func value(_ operand: Operand, depth: Int = 0) -> JSONValue {
        remainingValues -= 1
        guard remainingValues > 0, depth < Self.valueDepth else {
            isCut = true
            return "…"
        }
        switch operand {
        case .string(let bytes) where bytes.count > Self.textBytes:
            isCut = true
            return .string(String(decoding: bytes.prefix(Self.textBytes), as: UTF8.self) + "…")
        case .list, .array: return array(operand, depth)
        case .object(let view):
            var object = JSONObject()
            for member in view.members {
                object[String(decoding: member.name.prefix(Self.textBytes), as: UTF8.self)] =
                    value(Operand(member.value), depth: depth + 1)
                if remainingValues <= 0 { break }
            }
            return .object(object)
        case .data: return "the whole context"
        default: return JSONValue(operand)
        }
    }

    private func array(_ operand: Operand, _ depth: Int) -> JSONValue {
        var elements: [JSONValue] = []
        for element in operand.elements {
            elements.append(value(element, depth: depth + 1))
            if remainingValues <= 0 { break }
        }
        return .array(elements)
    }

    // MARK: What came of it

    /// The trace of the rule: each operator with its arguments and its result.
    func json(_ printer: RulePrinter) -> JSONValue {
        var children: [Int: [Int]] = [:]
        for (index, record) in records.enumerated() { children[record.parent, default: []].append(index) }
        guard let root = children[-1]?.first else { return ["value": JSONValue(printer.nodes[0].constant)] }
        return json(root, children, printer)
    }

    private func json(_ index: Int, _ children: [Int: [Int]], _ printer: RulePrinter) -> JSONValue {
        let record = records[index]
        let node = printer.nodes[record.node]
        var object = JSONObject()
        object["operator"] = .string(node.operation == .list ? "list" : OperatorSyntax.name(of: node.operation) ?? "?")
        var arguments: [JSONValue] = []
        if node.operation == .variable { arguments.append(["value": .string(printer.path(Int(node.detail)))]) }
        let evaluations = Dictionary(grouping: children[index] ?? []) { records[$0].node }
        for offset in 0..<Int(node.argumentCount) where remainingValues > 0 {
            let place = Int(node.firstArgument) + offset
            let argument = printer.nodes[place]
            guard argument.operation == .traced else {
                arguments.append(["value": value(argument.constant)])
                continue
            }
            let found = evaluations[Int(argument.firstArgument)] ?? []
            switch found.count {
            case 0:
                // Every entry counts, or an operator of thousands of arguments in a loop of thousands would not end.
                remainingValues -= 1
                arguments.append(["notEvaluated": true])
            case 1: arguments.append(json(found[0], children, printer))
            default: arguments.append(["evaluations": .array(found.map { json($0, children, printer) })])
            }
        }
        if remainingValues <= 0 { isCut = true }
        if !arguments.isEmpty { object["arguments"] = .array(arguments) }
        for (name, value) in record.notes { object[name] = value }
        if let result = record.result { object["result"] = result } else { object["failed"] = true }
        return .object(object)
    }
}
