import DynamoModel
import FlagCore
import JSON

extension FlagRecord {
    /// The flag as an item of the table, with every derived attribute: index keys, `environment`, `version`,
    /// `updatedAt`.
    package var item: Item {
        let key = ItemKey.flag(environment, key: key)
        var item = derivedAttributes
        item[Attribute.partition] = .string(key.partition)
        item[Attribute.sort] = .string(key.sort)
        item[Attribute.flagKey] = .string(self.key)
        item[Attribute.description] = .string(description)
        item[Attribute.owner] = .string(owner)
        item[Attribute.createdAt] = .string(createdAt.rfc3339)
        rule.add(to: &item)
        if isKeptInvalid { item[Attribute.keptInvalid] = true }
        if !tags.isEmpty { item[Attribute.tags] = .stringSet(AttributeSet(tags)) }
        if isClientSide { item[Attribute.clientSide] = true }
        if isArchived { item[Attribute.archived] = true }
        if approvals > 0 { item[Attribute.approvals] = .number(Int64(approvals)) }
        if let expiresAt { item[Attribute.expiresAt] = .string(expiresAt.rfc3339) }
        return item
    }

    /// What of its item follows from the rest: see `DerivedAttributes`.
    var derivedAttributes: Item {
        var item: Item = [
            Attribute.environment: .string(environment.rawValue),
            Attribute.updatedAt: .string(updatedAt.rfc3339),
            Attribute.version: .number(version),
            Attribute.ownerPartition: .string(FlagIndex.owner(owner).partition(in: environment, archived: isArchived)),
            Attribute.ownerSort: .string("FLAG#\(key)"),
            Attribute.flagsPartition: .string(FlagIndex.all.partition(in: environment, archived: isArchived)),
            Attribute.flagsSort: .string("METADATA#\(createdAt.rfc3339)"),
            Attribute.globalPartition: .string("GLOBAL_FLAG#\(key)"),
            Attribute.globalSort: .string("ENV#\(environment.rawValue)"),
        ]
        if let expiresAt {
            let partition = FlagIndex.expires.partition(in: environment, archived: isArchived)
            item[Attribute.expiresPartition] = .string(partition)
            item[Attribute.expiresSort] = .string(expiresAt.rfc3339)
        }
        return item
    }

    /// Whether an item says that a key in a browser or an app may evaluate the flag, whatever else is in it.
    static func isClientSide(_ item: Item) -> Bool { item[Attribute.clientSide]?.boolValue ?? false }

    /// Whether an item says that the flag was put away, whatever else is in it: then it is as if there were none for
    /// everybody who evaluates.
    package static func isArchived(_ item: Item) -> Bool { item[Attribute.archived]?.boolValue ?? false }

    /// Reads a flag's item. Only what an operator would type is required: the keys, `flagKey`, `description`, `owner`,
    /// `createdAt`, and `defaultEnabled` or `definition`; whatever is derived from these is not looked at.
    ///
    /// The definition's text is taken as it is: see `FlagRule.definition`.
    ///
    /// - Throws: everything that keeps the item from being a flag, by attribute.
    package init(item: Item) throws(DefinitionIssues) {
        guard case .flag(let environment, let key)? = ItemKey(item) else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "/PK", message: "must be FLAG#{environment}#{flagKey}, and SK METADATA")
            ])
        }
        try self.init(item: item, environment: environment, key: key)
    }

    /// The same for an item whose key has been read.
    init(item: Item, environment: Environment, key: String) throws(DefinitionIssues) {
        let made = Timestamp(millisecondsSinceEpoch: 0)
        let reading = FlagRecord.reading(item, environment: environment, key: key, at: made)
        guard reading.issues.isEmpty else { throw DefinitionIssues(issues: reading.issues) }
        self = reading.record
    }

    /// The flag that an item holds, with something made up in the place of what is not valid, and what that is.
    ///
    /// - Parameter now: made up for the time of creation.
    package static func reading(_ item: Item, environment: Environment, key: String, at now: Timestamp) -> ItemReading<
        Self
    > {
        var reader = AttributeReader(item)
        let flagKey = reader.text(Attribute.flagKey, .flagKey)
        if let flagKey, !flagKey.utf8.elementsEqual(key.utf8) {
            reader.report(Attribute.flagKey, "must be the key in PK")
        }
        let description = reader.text(Attribute.description, .description)
        let owner = reader.text(Attribute.owner, .owner)
        let createdAt = reader.time(Attribute.createdAt, isRequired: true)
        let expiresAt = reader.time(Attribute.expiresAt)
        let tags = reader.texts(Attribute.tags, .tag)
        let isClientSide = reader.flag(Attribute.clientSide) ?? false
        let isArchived = reader.flag(Attribute.archived) ?? false
        let approvals = reader.number(Attribute.approvals, in: FlagApprovals.range) ?? 0
        let rule = reader.rule()
        let record = FlagRecord(
            environment: environment, key: key, description: description ?? key, owner: owner ?? "unknown",
            rule: rule ?? .simple(defaultEnabled: false),
            isKeptInvalid: item[Attribute.keptInvalid]?.boolValue ?? false,
            expiresAt: expiresAt, tags: tags, isClientSide: isClientSide, isArchived: isArchived, approvals: approvals,
            createdAt: createdAt ?? now, updatedAt: reader.derivedTime(Attribute.updatedAt) ?? createdAt ?? now,
            version: RecordVersion.of(item))
        return ItemReading(record: record, issues: reader.issues)
    }
}

/// What an item that should be a flag or a segment turned out to be.
package struct ItemReading<Record: Sendable>: Sendable {
    /// It, with something made up in the place of what is not valid: it must be possible to put it right.
    package let record: Record
    /// What is not valid, by attribute.
    let issues: [DefinitionIssue]

    /// The members in which something differs from what is stored: also those that are not valid there, and only look
    /// like what was made up in their place.
    package func membersThatDiffer(_ members: [String]) -> [String] {
        members + issues.map { String($0.pointer.dropFirst()) }.filter { !members.contains($0) }
    }

    /// What is not valid and would be lost by a change that does not give it: whoever makes the change must say what
    /// comes in its place.
    ///
    /// - Parameters:
    ///   - members: what the change gives.
    ///   - content: the attributes that would be lost, with the members that take the place of each.
    func issues(
        besides members: JSONObject, of content: [(attribute: AttributeName, members: [String])]
    ) -> [DefinitionIssue] {
        issues.compactMap { issue in
            guard let lost = content.first(where: { "/\($0.attribute)" == issue.pointer }),
                !lost.members.contains(where: { members[$0] != nil })
            else { return nil }
            return DefinitionIssue(
                pointer: "/\(lost.members[0])", message: "what is stored \(issue.message): say what it is to be")
        }
    }
}

/// Reads attributes of an item and collects what is wrong with them.
struct AttributeReader {
    /// What was wrong so far.
    private(set) var issues: [DefinitionIssue] = []
    private let item: Item

    init(_ item: Item) {
        self.item = item
    }

    /// The attribute's value, nil when absent.
    func value(_ name: AttributeName) -> AttributeValue? { item[name] }

    /// Notes an issue with an attribute.
    mutating func report(_ name: AttributeName, _ message: String) {
        issues.append(DefinitionIssue(pointer: "/\(name)", message: message))
    }

    /// A text that satisfies `rule`; nil when it does not or is absent, which is noted.
    mutating func text(_ name: AttributeName, _ rule: TextRule, isRequired: Bool = true) -> String? {
        guard let value = item[name] else {
            if isRequired { report(name, "is required: \(rule.expectation)") }
            return nil
        }
        guard let text = value.stringValue else {
            report(name, "must be a string: \(rule.expectation)")
            return nil
        }
        if let complaint = rule.complaint(about: text) {
            report(name, complaint)
            return nil
        }
        return text
    }

    /// A time; nil when it is none, which is noted, or absent.
    mutating func time(_ name: AttributeName, isRequired: Bool = false) -> Timestamp? {
        guard let value = item[name] else {
            if isRequired { report(name, "is required: \(Timestamp.expectation)") }
            return nil
        }
        if let text = value.stringValue, let time = Timestamp(rfc3339: text) { return time }
        report(name, "must be a string with \(Timestamp.expectation)")
        return nil
    }

    /// A time that the server derives: nil when it is absent or none, which is no issue.
    func derivedTime(_ name: AttributeName) -> Timestamp? {
        item[name]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }

    /// A boolean; nil when it is none, which is noted, or absent.
    mutating func flag(_ name: AttributeName) -> Bool? {
        guard let value = item[name] else { return nil }
        if let flag = value.boolValue { return flag }
        report(name, "must be true or false (BOOL), or be left out")
        return nil
    }

    /// A whole number within bounds; nil when it is none, which is noted, or absent.
    mutating func number(_ name: AttributeName, in bounds: ClosedRange<Int>) -> Int? {
        guard let value = item[name] else { return nil }
        if let number = value.int64Value.flatMap({ Int(exactly: $0) }), bounds.contains(number) { return number }
        report(name, "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound), or be left out")
        return nil
    }

    /// The texts of a set or list of strings, sorted, each once; none when absent. What is wrong is noted and left out.
    mutating func texts(_ name: AttributeName, _ rule: TextRule) -> [String] {
        let texts: [String]
        switch item[name] {
        case nil: return []
        case .stringSet(let set)?: texts = set.elements
        case .list(let values)? where values.allSatisfy({ $0.stringValue != nil }):
            texts = AttributeSet(values.compactMap(\.stringValue)).elements
        default:
            report(name, "must be a set or list of strings")
            return []
        }
        return texts.filter { text in
            guard let complaint = rule.complaint(about: text) else { return true }
            report(name, complaint)
            return false
        }
    }

    /// A flag's rule; nil when there is none, which is noted.
    mutating func rule() -> FlagRule? {
        if let definition = item[Attribute.definition], definition.stringValue == nil {
            report(Attribute.definition, "must be a string with the definition's JSON text")
            return nil
        }
        if let rule = FlagRule(item) { return rule }
        report(Attribute.defaultEnabled, "must be true or false (BOOL), or else there must be a definition")
        return nil
    }
}
