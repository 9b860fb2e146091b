import DynamoTable
import FlagCore
import JSON

extension FlagRecord {
    /// The flag as an item of the table, with every derived attribute: index keys, `environment`, `version`,
    /// `updatedAt`.
    package var item: Item {
        let key = ItemKey.flag(environment, key: key)
        var item: Item = [
            Attribute.partition: .string(key.partition),
            Attribute.sort: .string(key.sort),
            Attribute.flagKey: .string(self.key),
            Attribute.description: .string(description),
            Attribute.owner: .string(owner),
            Attribute.environment: .string(environment.rawValue),
            Attribute.createdAt: .string(createdAt.rfc3339),
            Attribute.updatedAt: .string(updatedAt.rfc3339),
            Attribute.version: .number(version),
            Attribute.ownerPartition: .string(FlagIndex.owner(owner).partition(in: environment)),
            Attribute.ownerSort: .string("FLAG#\(self.key)"),
            Attribute.flagsPartition: .string(FlagIndex.all.partition(in: environment)),
            Attribute.flagsSort: .string("METADATA#\(createdAt.rfc3339)"),
            Attribute.globalPartition: .string("GLOBAL_FLAG#\(self.key)"),
            Attribute.globalSort: .string("ENV#\(environment.rawValue)"),
        ]
        rule.add(to: &item)
        if isKeptInvalid { item[Attribute.keptInvalid] = true }
        if !tags.isEmpty { item[Attribute.tags] = .stringSet(AttributeSet(tags)) }
        if let expiresAt {
            item[Attribute.expiresAt] = .string(expiresAt.rfc3339)
            item[Attribute.expiresPartition] = .string(FlagIndex.expires.partition(in: environment))
            item[Attribute.expiresSort] = .string(expiresAt.rfc3339)
        }
        return item
    }

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
        var reader = AttributeReader(item)
        let flagKey = reader.text(Attribute.flagKey, .flagKey)
        if let flagKey, !flagKey.utf8.elementsEqual(key.utf8) {
            reader.report(Attribute.flagKey, "must be the key in PK")
        }
        let description = reader.text(Attribute.description, .description)
        let owner = reader.text(Attribute.owner, .owner)
        let createdAt = reader.time(Attribute.createdAt, isRequired: true)
        let updatedAt = reader.time(Attribute.updatedAt)
        let expiresAt = reader.time(Attribute.expiresAt)
        let tags = reader.texts(Attribute.tags, .tag)
        let rule = reader.rule()
        guard reader.issues.isEmpty, let description, let owner, let createdAt, let rule else {
            throw DefinitionIssues(issues: reader.issues)
        }
        self.init(
            environment: environment, key: key, description: description, owner: owner, rule: rule,
            isKeptInvalid: item[Attribute.keptInvalid]?.boolValue ?? false, expiresAt: expiresAt, tags: tags,
            createdAt: createdAt, updatedAt: updatedAt ?? createdAt,
            version: max(1, item[Attribute.version]?.int64Value ?? 1))
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
            if isRequired { report(name, "is required: a time like 2026-01-31T09:30:00.000Z") }
            return nil
        }
        if let text = value.stringValue, let time = Timestamp(rfc3339: text) { return time }
        report(name, "must be a string with a time like 2026-01-31T09:30:00.000Z (RFC 3339)")
        return nil
    }

    /// The texts of a set or list of strings, sorted, each once; none when absent.
    mutating func texts(_ name: AttributeName, _ rule: TextRule) -> [String] {
        let texts: [String]
        switch item[name] {
        case nil: return []
        case .stringSet(let set)?: texts = set.elements
        case .list(let values)?: texts = AttributeSet(values.compactMap(\.stringValue)).elements
        default:
            report(name, "must be a set or list of strings")
            return []
        }
        for text in texts {
            if let complaint = rule.complaint(about: text) { report(name, complaint) }
        }
        return texts
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
