import DynamoModel
import FlagCore
import JSON

extension FlagRule {
    /// The checked definition that this rule spells, without what stands beside it; with this machine's time zones.
    ///
    /// - Throws: everything that is wrong, with pointers from `pointer` on. O(text).
    package func definition(at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) -> FlagDefinition {
        try definition(at: pointer, zones: TimeZoneDatabase.shared.rules(of:))
    }

    /// The rollout, checked with the time zones of this machine; nil when there is none.
    ///
    /// - Throws: everything that is wrong with it.
    package func parsedRollout(at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) -> Rollout? {
        try parsedRollout(at: pointer, zones: TimeZoneDatabase.shared.rules(of:))
    }
}

extension FlagRule {
    /// Adds the attributes that the rule is stored as.
    func add(to item: inout Item) {
        switch spelling {
        case .simple(let defaultEnabled): item[Attribute.defaultEnabled] = .bool(defaultEnabled)
        case .full(let text): item[Attribute.definition] = .string(text)
        }
        if let rollout { item[Attribute.rollout] = .string(rollout) }
        if let requires { item[Attribute.requires] = .string(requires) }
    }

    /// The attributes that a rule is read from.
    static let attributes = [Attribute.defaultEnabled, Attribute.definition, Attribute.rollout, Attribute.requires]

    /// The rule in a flag's item, whatever else is in it; nil when there is none.
    package init?(_ item: Item) {
        if let definition = item[Attribute.definition]?.stringValue {
            self = .full(definition)
        } else if let defaultEnabled = item[Attribute.defaultEnabled]?.boolValue {
            self = .simple(defaultEnabled: defaultEnabled, rollout: item[Attribute.rollout].map { $0.jsonText })
        } else {
            return nil
        }
        requires = item[Attribute.requires].map { $0.jsonText }
    }
}

extension AttributeValue {
    /// What was written as JSON text, or typed as a value of the table: the JSON text either way. Values that JSON does
    /// not have come out as something that no check lets pass.
    var jsonText: String { stringValue ?? json.serialized() }

    /// The value as JSON; of a type that JSON does not have, an empty text.
    package var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .number(let number): (try? JSONValue(parsing: "\(number)")) ?? .null
        case .bool(let value): .bool(value)
        case .list(let values): .array(values.map(\.json))
        case .map(let members):
            .object(JSONObject(members.map { ("\($0.key)", $0.value.json) }.sorted { $0.0 < $1.0 }))
        case .stringSet(let set): .array(set.elements.map { .string($0) })
        case .null: .null
        default: .string("")
        }
    }
}
