import JSON

extension Shape {
    /// Checks that the members of a request meet their constraints.
    ///
    /// - Throws: `ValidationException` with all that is wrong, up to ten things.
    static func checkConstraints(_ members: [Member], of request: JSONView) throws(ProtocolError) {
        var findings = Findings()
        findings.check(members, of: request, at: "")
        guard !findings.texts.isEmpty else { return }
        let count = findings.texts.count
        throw .validation(
            "\(count) validation error\(count == 1 ? "" : "s") detected: " + findings.texts.joined(separator: "; "))
    }
}

/// Collects what does not meet its constraints.
private struct Findings {
    var texts: [String] = []

    private static let countMax = 10

    mutating func check(_ members: [Shape.Member], of structure: JSONView, at path: String) {
        for member in members {
            guard let value = structure[member.name], !value.isNull else {
                if member.isRequired { add("null", at: path, member.name, "Member must not be null") }
                continue
            }
            if member.shape.isUnbounded { continue }
            check(value, member.shape, at: join(path, "\(member.name)".withSmallInitial))
        }
    }

    private mutating func check(_ value: JSONView, _ shape: Shape, at path: String) {
        switch shape {
        case .integer(_, let range?): check(value, range, at: path)
        case .text(let rule): check(value, rule, at: path)
        case .list(let element, let count):
            check(count: value.count, in: count, of: value, at: path)
            if element.isUnbounded { return }
            for (index, item) in value.elements.enumerated() where !item.isNull {
                check(item, element, at: "\(path).\(index + 1).member")
            }
        case .map(let element, _, let rule):
            check(count: value.count, in: rule.count, of: value, at: path)
            if rule.hasTableNames { checkKeys(value, at: path) }
            if let count = rule.valueCount { checkValues(value, count, at: path) }
            if element.isUnbounded { return }
            for (name, item) in value.members where !item.isNull {
                check(item, element, at: "\(path).\(String(decoding: name, as: UTF8.self)).member")
            }
        case .structure(_, let members): check(members, of: value, at: path)
        case .boolean, .integer(_, nil), .attributeValue, .attributes: return
        }
    }

    private mutating func check(_ value: JSONView, _ range: ClosedRange<Int64>, at path: String) {
        let number = value.wholeValue
        if number < range.lowerBound {
            add("'\(number)'", at: path, "Member must have value greater than or equal to \(range.lowerBound)")
        }
        if number > range.upperBound {
            add("'\(number)'", at: path, "Member must have value less than or equal to \(range.upperBound)")
        }
    }

    private mutating func check(_ value: JSONView, _ rule: Shape.TextRule, at path: String) {
        guard let bytes = value.stringBytes else { return }
        if rule.isName, bytes.tableNameInARN == nil, !bytes.isName {
            add(
                quoted(value), at: path,
                "Member must satisfy regular expression pattern: \(Shape.TextRule.namePattern)")
        }
        if let length = rule.length, bytes.tableNameInARN == nil || !rule.isName {
            // Java counts UTF-16 units; names that are allowed have one a byte.
            let count = String(decoding: bytes, as: UTF8.self).utf16.count
            check(count: count, in: length, of: value, at: path)
        }
        if !rule.choices.isEmpty, !rule.choices.contains(where: { bytes.hasSameBytes(as: $0) }) {
            let choices = rule.choices.map { "\($0)" }.joined(separator: ", ")
            add(quoted(value), at: path, "Member must satisfy enum value set: [\(choices)]")
        }
    }

    private mutating func check(count: Int, in range: ClosedRange<Int>?, of value: JSONView, at path: String) {
        guard let range else { return }
        if count < range.lowerBound {
            add(quoted(value), at: path, "Member must have length greater than or equal to \(range.lowerBound)")
        }
        if count > range.upperBound {
            add(quoted(value), at: path, "Member must have length less than or equal to \(range.upperBound)")
        }
    }

    private mutating func checkKeys(_ map: JSONView, at path: String) {
        for (name, _) in map.members
        where name.tableNameInARN == nil && !(name.isName && (3...255).contains(name.count)) {
            add(
                quoted(map), at: path,
                "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must"
                    + " have length greater than or equal to 3, Member must satisfy regular expression pattern:"
                    + " \(Shape.TextRule.namePattern)]")
        }
    }

    private mutating func checkValues(_ map: JSONView, _ count: ClosedRange<Int>, at path: String) {
        for (_, list) in map.members where !count.contains(list.count) {
            add(
                quoted(map), at: path,
                "Map value must satisfy constraint: [Member must have length less than or equal to"
                    + " \(count.upperBound), Member must have length greater than or equal to \(count.lowerBound)]")
        }
    }

    private mutating func add(_ value: String, at path: String, _ name: StaticString, _ constraint: String) {
        add(value, at: join(path, "\(name)".withSmallInitial), constraint)
    }

    private mutating func add(_ value: String, at path: String, _ constraint: String) {
        guard texts.count < Self.countMax else { return }
        texts.append("Value \(value) at '\(path)' failed to satisfy constraint: \(constraint)")
    }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func quoted(_ value: JSONView) -> String { "'\(describe(value))'" }

    /// A value as Java prints it; long ones are cut.
    private func describe(_ value: JSONView) -> String {
        switch value.kind {
        case .string: value.string ?? ""
        case .array: "[" + value.elements.map { describe($0) }.joined(separator: ", ") + "]"
        case .object:
            "{"
                + value.members.map { "\(String(decoding: $0.name, as: UTF8.self))=\(describe($0.value))" }
                .joined(separator: ", ") + "}"
        default: value.materialized().serialized()
        }
    }
}

extension Shape {
    /// Whether no value of this shape can fail a constraint, so that there is nothing to look for.
    fileprivate var isUnbounded: Bool {
        switch self {
        case .boolean, .integer(_, nil), .attributeValue, .attributes: true
        case .text(let rule): rule.length == nil && !rule.isName && rule.choices.isEmpty
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
