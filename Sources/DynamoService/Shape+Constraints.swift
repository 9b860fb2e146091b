import Bytes
import DynamoModel
import JSON

extension Shape {
    /// Checks that the members of a request meet their constraints.
    ///
    /// - Parameters:
    ///   - members: what the request is made of.
    ///   - request: the request.
    ///   - tellsBoundsPlainly: whether what is too small, large, short or long is told without its value, and with the
    ///     members' names as the request has them: some operations do (recorded from the service in 2026).
    /// - Throws: `ValidationException` with all that is wrong, up to ten things.
    static func checkConstraints(
        _ members: [Member], of request: JSONView, tellsBoundsPlainly: Bool
    ) throws(ProtocolError) {
        var findings = Findings(tellsBoundsPlainly: tellsBoundsPlainly)
        findings.check(members, of: request)
        guard !findings.texts.isEmpty else { return }
        let count = findings.texts.count
        throw .validation(
            "\(count) validation error\(count == 1 ? "" : "s") detected: " + findings.texts.joined(separator: "; "))
    }
}

/// Collects what does not meet its constraints.
private struct Findings {
    let tellsBoundsPlainly: Bool
    var texts: [String] = []
    /// Where the value is that is being checked.
    private var path: [Step] = []

    private static let countMax = 10

    /// Whether nothing more is told, so that there is nothing to look for.
    private var isFull: Bool { texts.count >= Self.countMax }

    /// A step from a value into it.
    private enum Step {
        case member(StaticString)
        case index(Int)
        case key(UnsafeRawBufferPointer)
    }

    init(tellsBoundsPlainly: Bool) { self.tellsBoundsPlainly = tellsBoundsPlainly }

    mutating func check(_ members: [Shape.Member], of structure: JSONView) {
        for member in members {
            let value = structure[member.name].flatMap { $0.isNull ? nil : $0 }
            if value == nil ? !member.isRequired : member.shape.isUnbounded { continue }
            path.append(.member(member.name))
            if let value { check(value, member.shape) } else { add(text: "null", "Member must not be null") }
            path.removeLast()
        }
    }

    private mutating func check(_ value: JSONView, _ shape: Shape) {
        if isFull { return }
        switch shape {
        case .integer(_, let range?): check(value, range, shape)
        case .text(let rule): check(value, rule)
        case .list(let element, let count):
            check(count: value.count, in: count, of: value, shape)
            if element.isUnbounded { return }
            for (index, item) in value.elements.enumerated() where !item.isNull {
                check(item, element, at: .index(index))
            }
        case .map(let element, _, let rule):
            check(count: value.count, in: rule.count, of: value, shape)
            if rule.hasTableNames { checkKeys(value, shape) }
            if let count = rule.valueCount { checkValues(value, count, shape) }
            if element.isUnbounded { return }
            for (name, item) in value.members where !item.isNull { check(item, element, at: .key(name)) }
        case .structure(_, let members): check(members, of: value)
        case .boolean, .integer(_, nil), .attributeValue, .attributes: return
        }
    }

    private mutating func check(_ value: JSONView, _ shape: Shape, at step: Step) {
        path.append(step)
        check(value, shape)
        path.removeLast()
    }

    private mutating func check(_ value: JSONView, _ range: ClosedRange<Int64>, _ shape: Shape) {
        let number = value.wholeValue
        if number < range.lowerBound {
            addBound(value, shape, "Member must have value greater than or equal to \(range.lowerBound)")
        }
        if number > range.upperBound {
            addBound(value, shape, "Member must have value less than or equal to \(range.upperBound)")
        }
    }

    private mutating func check(_ value: JSONView, _ rule: Shape.TextRule) {
        guard let bytes = value.stringBytes else { return }
        if rule.isTable {
            if let fault = bytes.tableNameFault { add(value, nil, fault) }
            return
        }
        if rule.isName, !bytes.isName {
            add(value, nil, "Member must satisfy regular expression pattern: \(Shape.TextRule.namePattern)")
        }
        if let length = rule.length {
            // Java counts UTF-16 units; names that are allowed have one a byte.
            check(count: String(decoding: bytes, as: UTF8.self).utf16.count, in: length, of: value, .text(rule))
        }
        if !rule.choices.isEmpty, !rule.choices.contains(where: { bytes.hasSameBytes(as: $0) }) {
            let choices = rule.choices.map { "\($0)" }.joined(separator: ", ")
            add(value, nil, "Member must satisfy enum value set: [\(choices)]")
        }
    }

    private mutating func check(count: Int, in range: ClosedRange<Int>?, of value: JSONView, _ shape: Shape) {
        guard let range else { return }
        if count < range.lowerBound {
            addBound(value, shape, "Member must have length greater than or equal to \(range.lowerBound)")
        }
        if count > range.upperBound {
            addBound(value, shape, "Member must have length less than or equal to \(range.upperBound)")
        }
    }

    private mutating func checkKeys(_ map: JSONView, _ shape: Shape) {
        for (name, _) in map.members
        where name.tableNameInARN == nil && !(name.isName && (3...255).contains(name.count)) {
            add(
                map, shape,
                "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must"
                    + " have length greater than or equal to 3, Member must satisfy regular expression pattern:"
                    + " \(Shape.TextRule.namePattern)]")
        }
    }

    private mutating func checkValues(_ map: JSONView, _ count: ClosedRange<Int>, _ shape: Shape) {
        for (_, list) in map.members where !count.contains(list.count) {
            add(
                map, shape,
                "Map value must satisfy constraint: [Member must have length less than or equal to"
                    + " \(count.upperBound), Member must have length greater than or equal to \(count.lowerBound)]")
        }
    }

    /// Adds what is wrong with the value that `path` leads to.
    private mutating func add(_ value: JSONView, _ shape: Shape?, _ constraint: String) {
        if isFull { return }
        var description = ValueDescription()
        description.append(value, shape)
        add(text: "'\(description.text)'", constraint)
    }

    /// Adds that the value is too small, large, short or long.
    private mutating func addBound(_ value: JSONView, _ shape: Shape, _ constraint: String) {
        guard tellsBoundsPlainly else { return add(value, shape, constraint) }
        if isFull { return }
        texts.append("Value at '\(describedPath(hasSmallInitials: false))' failed to satisfy constraint: \(constraint)")
    }

    private mutating func add(text: String, _ constraint: String) {
        if isFull { return }
        texts.append(
            "Value \(text) at '\(describedPath(hasSmallInitials: true))' failed to satisfy constraint: \(constraint)")
    }

    private func describedPath(hasSmallInitials: Bool) -> String {
        path.map { step in
            switch step {
            case .member(let name): hasSmallInitials ? "\(name)".withSmallInitial : "\(name)"
            case .index(let index): "\(index + 1).member"
            case .key(let name): "\(String(decoding: name, as: UTF8.self)).member"
            }
        }.joined(separator: ".")
    }
}

/// A value as Java prints it: structures with their names, `KeySchemaElement(attributeName=pk, keyType=HASH)`.
private struct ValueDescription {
    private(set) var text = ""

    /// Where a description is cut off: what is told of a request must not be many times as long as the request.
    private static let bytesMax = 64 * 1024

    mutating func append(_ value: JSONView, _ shape: Shape?) {
        guard text.utf8.count < Self.bytesMax else { return }
        switch (value.kind, shape) {
        case (.string, _): text += (value.string ?? "").prefix(Self.bytesMax)
        case (.number, .integer?): text += "\(value.wholeValue)"
        case (.array, _):
            var element: Shape?
            if case .list(let shape, _)? = shape { element = shape }
            text += "["
            append(value.elements.map { (nil, $0, element) })
            text += "]"
        case (.object, .structure(let name, let members)?):
            text += "\(name)("
            append(
                members.compactMap { member in
                    value[member.name].map { ("\(member.name)".withSmallInitial, $0, member.shape) }
                })
            text += ")"
        case (.object, _):
            var element: Shape?
            if case .map(let shape, _, _)? = shape { element = shape }
            text += "{"
            append(value.members.map { (String(decoding: $0.name, as: UTF8.self), $0.value, element) })
            text += "}"
        default: text += value.materialized().serialized()
        }
    }

    private mutating func append(_ parts: [(name: String?, value: JSONView, shape: Shape?)]) {
        for (position, part) in parts.enumerated() {
            guard text.utf8.count < Self.bytesMax else { return }
            if position > 0 { text += ", " }
            if let name = part.name { text += name + "=" }
            append(part.value, part.shape)
        }
    }
}

extension Shape {
    /// Whether no value of this shape can fail a constraint, so that there is nothing to look for.
    fileprivate var isUnbounded: Bool {
        switch self {
        case .boolean, .integer(_, nil), .attributeValue, .attributes: true
        case .text(let rule): rule.length == nil && !rule.isName && !rule.isTable && rule.choices.isEmpty
        case .list(let element, nil): element.isUnbounded
        default: false
        }
    }
}

extension JSONView {
    /// A number as a whole one: fractions are cut off, and what does not fit is as large as can be.
    var wholeValue: Int64 {
        if let int64 { return int64 }
        let double = double ?? 0
        return Int64(exactly: double.rounded(.down)) ?? (double < 0 ? .min : .max)
    }
}

extension String {
    /// The text with a small first letter.
    fileprivate var withSmallInitial: String { prefix(1).lowercased() + dropFirst() }
}

extension UnsafeRawBufferPointer {
    /// Whether these are one or more of `a-zA-Z0-9_.-`.
    var isName: Bool {
        !isEmpty
            && allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// The table's name in the ARN of a table, `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`; nil for anything else.
    var tableNameInARN: UnsafeRawBufferPointer? {
        guard count > 12, self[0] == UInt8(ascii: "a"), starts(with: "arn:".utf8) else { return nil }
        let resource = split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        guard resource.count == 6, resource[5].starts(with: "table/".utf8) else { return nil }
        let name = UnsafeRawBufferPointer(rebasing: resource[5].dropFirst(6))
        return name.isName ? name : nil
    }
}
