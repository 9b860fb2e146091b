import DynamoModel
import FlagCore
import JSON

/// A partial change of a flag (RFC 7396).
package struct FlagPatch: Sendable {
    private let patch: MergePatch

    /// Reads a body.
    ///
    /// - Throws: when it is no object, or changes nothing.
    package init(json: JSONValue) throws(DefinitionIssues) {
        patch = try MergePatch(json: json)
        guard patch.members["killSwitch"] == nil else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "/killSwitch", message: KillSwitchDraft.advice)
            ])
        }
    }

    /// The flag as it would be.
    ///
    /// Members of the full spelling turn a simple flag into a full one; what they leave out of it is what the simple
    /// one stands for. A simple flag shows no variants, so there are none that others could be merged with.
    ///
    /// - Throws: everything that would be wrong with it, and what is not valid in the stored flag and is not given.
    func applied(to reading: ItemReading<FlagRecord>) throws(DefinitionIssues) -> FlagDraft {
        let lost = reading.issues(besides: patch.members, of: FlagPatch.content)
        guard lost.isEmpty else { throw DefinitionIssues(issues: lost) }
        return try applied(to: reading.record)
    }

    /// The attributes that a flag cannot do without, or that say what nothing else says, with the members that do.
    private static let content: [(attribute: AttributeName, members: [String])] = [
        (Attribute.description, ["description"]), (Attribute.owner, ["owner"]), (Attribute.tags, ["tags"]),
        (Attribute.createdAt, ["createdAt"]), (Attribute.expiresAt, ["expiresAt"]),
        (Attribute.clientSide, ["clientSide"]), (Attribute.approvals, ["approvals"]),
        (Attribute.defaultEnabled, ["defaultEnabled", "variants"]),
        (Attribute.definition, ["defaultEnabled", "variants"]),
    ]

    private func applied(to record: FlagRecord) throws(DefinitionIssues) -> FlagDraft {
        guard case .object(var object) = record.json(at: Timestamp(millisecondsSinceEpoch: .min)) else {
            preconditionFailure("A flag is shown as an object")
        }
        if case .simple(let defaultEnabled) = record.rule.spelling,
            FlagRule.definitionMembers.contains(where: { patch.members[$0] != nil })
        {
            object["defaultEnabled"] = nil
            object["rollout"] = nil
            if case .object(let definition) = FlagDefinition.simple(defaultEnabled: defaultEnabled).json {
                for (name, value) in definition.members where patch.members[name] == nil { object[name] = value }
            }
        }
        return try FlagDraft(json: .object(patch.applied(to: object)), key: record.key)
    }
}
