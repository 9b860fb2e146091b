import Bytes
import DynamoModel
import FlagCore
import JSON

/// How a flag decides, as it was written.
package struct FlagRule: Sendable, Equatable {
    /// The two spellings of one model.
    package enum Spelling: Sendable, Equatable {
        /// A boolean flag with the variants `on` and `off`, and which one is the default.
        case simple(defaultEnabled: Bool)
        /// The definition as JSON text, numbers spelled as they came (`2.0` stays `2.0`).
        case full(String)
    }

    /// The definition.
    package var spelling: Spelling
    /// The progressive rollout of a simple flag, as JSON text.
    package var rollout: String?

    /// What other flags must answer, as JSON text of an array.
    package var requires: String?

    /// The rule of the simple spelling.
    package static func simple(defaultEnabled: Bool, rollout: String? = nil) -> FlagRule {
        FlagRule(spelling: .simple(defaultEnabled: defaultEnabled), rollout: rollout)
    }

    /// The rule of the full spelling.
    package static func full(_ definition: String) -> FlagRule { FlagRule(spelling: .full(definition)) }

    /// The names of the members that make up the full spelling.
    package static let definitionMembers = ["state", "variants", "defaultVariant", "targeting", "metadata"]
}

extension FlagRule {
    /// The full spelling of a flagd definition: its members in the order of `definitionMembers` whatever theirs was,
    /// and no others, which flagd ignores (`$comment`) and the interface would refuse.
    init(definition: JSONValue) {
        guard let object = definition.objectValue else {
            self = .full(definition.serialized())
            return
        }
        self = .full(JSONValue.object(FlagRule.definition(in: object)).serialized())
    }

    /// Those members of an object that make up the full spelling, in their fixed order.
    static func definition(in object: JSONObject) -> JSONObject {
        var definition = JSONObject()
        for name in definitionMembers { definition[name] = object[name] }
        return definition
    }

    /// The checked definition that this rule spells, without what stands beside it.
    ///
    /// - Throws: everything that is wrong, with pointers from `pointer` on. O(text).
    package func definition(at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) -> FlagDefinition {
        _ = try prerequisites(at: pointer)
        switch spelling {
        case .simple(let defaultEnabled):
            _ = try parsedRollout(at: pointer)
            return .simple(defaultEnabled: defaultEnabled)
        case .full(let text):
            let value: JSONValue
            do { value = try JSONValue(parsing: text) } catch {
                throw DefinitionIssues(issues: [
                    // Only what is stored as text can be none: what is wrong is the attribute.
                    DefinitionIssue(
                        pointer: pointer.appending("definition").description, message: "is not JSON: \(error)")
                ])
            }
            return try FlagDefinition(validating: value, at: pointer)
        }
    }

    /// The rollout, checked; nil when there is none.
    ///
    /// - Throws: everything that is wrong with it.
    func parsedRollout(at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) -> Rollout? {
        guard let rollout else { return nil }
        let place = pointer.appending("rollout")
        let value = try FlagRule.json(rollout, at: place)
        return try Rollout(validating: value, at: place) { TimeZoneDatabase.shared.rules(of: $0) != nil }
    }

    /// What other flags must answer, checked as far as that goes without them.
    ///
    /// - Throws: everything that is wrong with it.
    package func prerequisites(at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) -> [Prerequisite] {
        guard let requires else { return [] }
        let place = pointer.appending("requires")
        return try Prerequisite.list(validating: try FlagRule.json(requires, at: place), at: place)
    }

    private static func json(_ text: String, at place: JSONPointer) throws(DefinitionIssues) -> JSONValue {
        do { return try JSONValue(parsing: text) } catch {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: place.description, message: "is not JSON: \(error)")
            ])
        }
    }

    /// Compiles a flag of this rule for one loop.
    ///
    /// A definition that is not valid is compiled as far as it can be understood (`FlagDefinition.init(keeping:)`).
    func compiled(key: String, fractional: FractionalVersion, expiresAt: Timestamp? = nil) -> CompiledFlag {
        let requires: [Prerequisite]
        do throws(DefinitionIssues) { requires = try prerequisites() } catch {
            return CompiledFlag(key: key, invalid: error.description)
        }
        switch spelling {
        case .simple(let defaultEnabled):
            let definition = FlagDefinition.simple(defaultEnabled: defaultEnabled)
            do throws(DefinitionIssues) {
                let plan = try parsedRollout().map { rollout in
                    let zone = rollout.businessHours.flatMap { TimeZoneDatabase.shared.rules(of: $0.timeZone) }
                    return RolloutPlan(rollout, zone: zone ?? .utc)
                }
                return CompiledFlag(
                    key: key, definition: definition, fractional: fractional, rollout: plan, requires: requires,
                    expiresAt: expiresAt)
            } catch {
                return CompiledFlag(key: key, invalid: error.description)
            }
        case .full(let text):
            do throws(JSONError) {
                let json = try JSONValue(parsing: text)
                return CompiledFlag(
                    key: key, definition: FlagDefinition(keeping: json), fractional: fractional, requires: requires,
                    expiresAt: expiresAt)
            } catch {
                let reason =
                    text.isEmpty
                    ? "What is stored has neither defaultEnabled (BOOL) nor a definition"
                    : "The stored definition is not JSON: \(error)"
                return CompiledFlag(key: key, invalid: reason)
            }
        }
    }

    /// Whether both say the same: the spelling and every value, not the order of members.
    package func isEquivalent(to other: FlagRule) -> Bool {
        if self == other { return true }
        guard FlagRule.isEquivalent(rollout, other.rollout), FlagRule.isEquivalent(requires, other.requires) else {
            return false
        }
        switch (spelling, other.spelling) {
        case (.full(let left), .full(let right)): return FlagRule.isEquivalent(left, right)
        default: return spelling == other.spelling
        }
    }

    private static func isEquivalent(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == right }
        guard let leftValue = try? JSONValue(parsing: left), let rightValue = try? JSONValue(parsing: right) else {
            return left == right
        }
        return leftValue == rightValue
    }

    /// A hash, equal in every process.
    var fingerprint: UInt64 {
        var hash =
            switch spelling {
            case .simple(let defaultEnabled): ByteHash.fingerprint(defaultEnabled ? "on" : "off", salt: 1)
            case .full(let text): ByteHash.fingerprint(text, salt: 2)
            }
        if let rollout { hash = ByteHash.mix(hash, ByteHash.fingerprint(rollout, salt: 3)) }
        if let requires { hash = ByteHash.mix(hash, ByteHash.fingerprint(requires, salt: 4)) }
        return hash
    }
}

// MARK: - As attributes of an item

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

    /// The rule in a flag's item, whatever else is in it; nil when there is none.
    init?(_ item: Item) {
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
    var json: JSONValue {
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
