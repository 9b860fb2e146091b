import Bytes
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

    /// Takes the parts as they are.
    package init(spelling: Spelling, rollout: String? = nil, requires: String? = nil) {
        self.spelling = spelling
        self.rollout = rollout
        self.requires = requires
    }

    /// The rule of the simple spelling.
    package static func simple(defaultEnabled: Bool, rollout: String? = nil) -> FlagRule {
        FlagRule(spelling: .simple(defaultEnabled: defaultEnabled), rollout: rollout)
    }

    /// The rule of the full spelling.
    package static func full(_ definition: String) -> FlagRule { FlagRule(spelling: .full(definition)) }

    /// The names of the members that make up the full spelling.
    package static let definitionMembers = ["state", "variants", "defaultVariant", "targeting", "metadata"]
}

/// Finds the rules of a time zone by its name, such as `Europe/Berlin`; nil where nobody knows them.
package typealias TimeZones = (String) -> TimeZoneRules?

extension FlagRule {
    /// The full spelling of a flagd definition: its members in the order of `definitionMembers` whatever theirs was,
    /// and no others, which flagd ignores (`$comment`) and the interface would refuse.
    package init(definition: JSONValue) {
        guard let object = definition.objectValue else {
            self = .full(definition.serialized())
            return
        }
        self = .full(JSONValue.object(FlagRule.definition(in: object)).serialized())
    }

    /// Those members of an object that make up the full spelling, in their fixed order.
    package static func definition(in object: JSONObject) -> JSONObject {
        var definition = JSONObject()
        for name in definitionMembers { definition[name] = object[name] }
        return definition
    }

    /// The checked definition that this rule spells, without what stands beside it.
    ///
    /// - Parameter zones: finds the rules of a time zone.
    /// - Throws: everything that is wrong, with pointers from `pointer` on. O(text).
    package func definition(at pointer: JSONPointer, zones: TimeZones) throws(DefinitionIssues) -> FlagDefinition {
        _ = try prerequisites(at: pointer)
        switch spelling {
        case .simple(let defaultEnabled):
            _ = try parsedRollout(at: pointer, zones: zones)
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
    package func parsedRollout(at pointer: JSONPointer, zones: TimeZones) throws(DefinitionIssues) -> Rollout? {
        guard let rollout else { return nil }
        let place = pointer.appending("rollout")
        let value = try FlagRule.json(rollout, at: place)
        return try Rollout(validating: value, at: place) { zones($0) != nil }
    }

    /// The time zone whose business hours the rollout keeps to; nil when it keeps to none.
    package var timeZone: String? {
        guard rollout != nil else { return nil }
        return (try? parsedRollout(at: JSONPointer()) { _ in .utc })?.businessHours?.timeZone
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
    ///
    /// - Parameter zone: the rules of `timeZone`; nil when it has none or nobody knows them. Whoever compiles does not
    ///   look for them: that may mean to read a file.
    package func compiled(
        key: String, fractional: FractionalVersion, expiresAt: Timestamp? = nil, isClientSide: Bool = false,
        zone: TimeZoneRules? = nil
    ) -> CompiledFlag {
        let requires: [Prerequisite]
        do throws(DefinitionIssues) { requires = try prerequisites() } catch {
            return CompiledFlag(key: key, invalid: error.description, isClientSide: isClientSide)
        }
        switch spelling {
        case .simple(let defaultEnabled):
            let definition = FlagDefinition.simple(defaultEnabled: defaultEnabled)
            do throws(DefinitionIssues) {
                let rollout = try parsedRollout(at: JSONPointer()) { _ in zone }
                let plan = rollout.map { RolloutPlan($0, zone: zone ?? .utc) }
                return CompiledFlag(
                    key: key, definition: definition, fractional: fractional, rollout: plan, requires: requires,
                    expiresAt: expiresAt, isClientSide: isClientSide)
            } catch {
                return CompiledFlag(key: key, invalid: error.description, isClientSide: isClientSide)
            }
        case .full(let text):
            do throws(JSONError) {
                let json = try JSONValue(parsing: text)
                return CompiledFlag(
                    key: key, definition: FlagDefinition(keeping: json), fractional: fractional, requires: requires,
                    expiresAt: expiresAt, isClientSide: isClientSide)
            } catch {
                let reason =
                    text.isEmpty
                    ? "What is stored has neither defaultEnabled (BOOL) nor a definition"
                    : "The stored definition is not JSON: \(error)"
                return CompiledFlag(key: key, invalid: reason, isClientSide: isClientSide)
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
    package var fingerprint: UInt64 {
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
