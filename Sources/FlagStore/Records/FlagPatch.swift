import FlagCore
import JSON

/// A partial change of a flag: the members that are given replace those of the flag as they are, null takes one away.
/// Not recursive: a rule that was merged from two would be neither's.
package struct FlagPatch: Sendable {
    private let members: JSONObject

    /// Reads a body.
    ///
    /// - Throws: when it is no object, or changes nothing.
    package init(json: JSONValue) throws(DefinitionIssues) {
        guard case .object(let members) = json, !members.isEmpty else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "", message: "must be an object with the members to change")
            ])
        }
        self.members = members
    }

    /// The flag as it would be.
    ///
    /// Members of the full spelling turn a simple flag into a full one with the variants `on` and `off`.
    ///
    /// - Throws: everything that would be wrong with it.
    package func applied(to record: FlagRecord) throws(DefinitionIssues) -> FlagDraft {
        guard case .object(var object) = record.json(at: Timestamp(millisecondsSinceEpoch: .min)) else {
            preconditionFailure("A flag is shown as an object")
        }
        // Whoever patches has read nothing: only what the patch itself says is checked against the flag.
        for name in ["version", "createdAt", "updatedAt", "environment", "stale"] { object[name] = nil }
        if case .simple(let defaultEnabled) = record.rule.spelling,
            FlagRule.definitionMembers.contains(where: { members[$0] != nil })
        {
            object["defaultEnabled"] = nil
            object["rollout"] = nil
            if case .object(let definition) = FlagDefinition.simple(defaultEnabled: defaultEnabled).json {
                for (name, value) in definition.members { object[name] = value }
            }
        }
        for (name, value) in members.members {
            object[name] = value == .null ? nil : value
        }
        return try FlagDraft(json: .object(object), key: record.key)
    }
}
