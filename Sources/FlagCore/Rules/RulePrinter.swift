import JSON

/// Writes compiled nodes as the JSON of a rule again.
///
/// What is printed means the same as what was compiled, in one spelling: arguments always stand in an array, `?:` is
/// `if`, and the path of a `var` is a string. A place that could not be understood is printed as its message.
struct RulePrinter {
    let nodes: UnsafePointer<RuleNode>
    let paths: UnsafePointer<VariablePath>
    let names: UnsafePointer<PathName>

    /// The rule whose root is node `index`.
    func print(_ index: Int = 0) -> JSONValue { print(nodes[index]) }

    /// The rule whose root is `node`.
    func print(_ node: RuleNode) -> JSONValue {
        switch node.operation {
        case .constant: return JSONValue(node.constant)
        case .list: return .array(arguments(of: node))
        case .notUnderstood: return .object(["unreadable": .integer(Int64(node.detail))])
        case .variable:
            let path = JSONValue.string(path(Int(node.detail)))
            return .object(["var": .array([path] + arguments(of: node))])
        default:
            return .object([OperatorSyntax.name(of: node.operation) ?? "unknown": .array(arguments(of: node))])
        }
    }

    /// A variable's path, its names joined by points.
    func path(_ index: Int) -> String {
        let path = paths[index]
        let parts = (0..<Int(path.nameCount)).map { names[Int(path.firstName) + $0].bytes }
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    private func arguments(of node: RuleNode) -> [JSONValue] {
        (0..<Int(node.argumentCount)).map { print(Int(node.firstArgument) + $0) }
    }
}

extension RuleCompiler {
    /// The compiled rule as JSON.
    var printed: JSONValue {
        nodes.withUnsafeBufferPointer { nodes in
            paths.withUnsafeBufferPointer { paths in
                names.withUnsafeBufferPointer { names in
                    guard let nodes = nodes.baseAddress else { return .null }
                    // Without variables there are neither paths nor names, and nothing reads them.
                    let none = UnsafeRawPointer(nodes)
                    return RulePrinter(
                        nodes: nodes,
                        paths: paths.baseAddress ?? none.assumingMemoryBound(to: VariablePath.self),
                        names: names.baseAddress ?? none.assumingMemoryBound(to: PathName.self)
                    ).print()
                }
            }
        }
    }
}

extension JSONValue {
    /// A value of an evaluation as JSON; what is not a number is null.
    init(_ operand: Operand) {
        switch operand {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = JSONNumber(value).map { .number($0) } ?? .null
        case .string(let bytes): self = .string(String(decoding: bytes, as: UTF8.self))
        case .list(let elements): self = .array(elements.map { JSONValue($0) })
        case .array(let view), .object(let view), .spelled(let view): self = view.materialized()
        case .data: self = .object(JSONObject())
        }
    }
}
