import AccessStore
import Audit
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// What of the items of the access table is told: what is listed here, and nothing else. Of what is not shown it is
/// told that it has changed.
struct AuditedAccess: Sendable {
    /// The partition that the items are in.
    let partition: String
    /// What the log calls them.
    let subject: String
    /// What is shown.
    let shown: [AttributeName]
    /// What is secret: only its name is told, where it has changed.
    var secret: [AttributeName] = []

    /// A row for each kind of items. Sessions are none: that somebody signs in is told by itself.
    static let all = [
        AuditedAccess(
            partition: AccessTable.keys, subject: "key",
            shown: [
                "kind", "name", "environment", "roles", "tenantId", "rate", "createdAt", "createdBy", "expiresAt",
                "revokedAt", "revokedBy", "reason",
            ], secret: ["secrets"]),
        AuditedAccess(
            partition: AccessTable.accessKeys, subject: "access-key",
            shown: ["name", "policy", "rate", "createdAt", "createdBy", "revokedAt", "revokedBy", "reason"]),
        AuditedAccess(
            partition: AccessTable.users, subject: "user",
            shown: ["roles", "createdAt", "createdBy", "disabledAt", "revision"],
            secret: ["password", "secondFactor", "begunSecret", "recoveryDigests"]),
        AuditedAccess(partition: AccessTable.signingKeys, subject: "signing-key", shown: ["createdAt"]),
    ]

    /// The entry of a change; nil for one that is no act of administration, such as the day of a key's last use.
    static func entry(of change: TableChange) -> AuditEntry? {
        guard let row = all.first(where: { $0.partition == change.key.partition.stringValue }) else { return nil }
        return row.entry(of: change)
    }

    private func entry(of change: TableChange) -> AuditEntry? {
        let (before, after) = (document(of: change.oldItem), document(of: change.newItem))
        let changed = secret.filter { Self.essence($0, change.oldItem) != Self.essence($0, change.newItem) }
        if before == after, changed.isEmpty { return nil }
        var entry = AuditEntry(
            AuditAction(subject, verb(change, changed)), by: change.principal,
            at: Timestamp(millisecondsSinceEpoch: change.committedAt))
        entry.target = AuditTarget(subject, change.key.sort?.stringValue)
        entry.environment = ((change.newItem ?? change.oldItem)?["environment"]?.stringValue)
            .flatMap(Environment.init(rawValue:))
        entry.content = AuditContent(from: before, to: after)
        if !changed.isEmpty, change.oldItem != nil, change.newItem != nil {
            entry.details = ["changedSecrets": .array(changed.map { .string($0.text) })]
        }
        return entry
    }

    private func verb(_ change: TableChange, _ changed: [AttributeName]) -> String {
        guard let new = change.newItem else { return "delete" }
        guard let old = change.oldItem else { return "create" }
        if old["revokedAt"] == nil, new["revokedAt"] != nil { return "revoke" }
        if changed.contains("secrets") { return "rotate" }
        if old["disabledAt"] == nil, new["disabledAt"] != nil { return "disable" }
        if old["disabledAt"] != nil, new["disabledAt"] == nil { return "enable" }
        return "update"
    }

    private func document(of item: Item?) -> JSONValue {
        guard let item else { return .null }
        return .object(
            JSONObject(
                shown.compactMap { name in
                    guard let value = item[name] else { return nil }
                    let isText = name == "policy"
                    return (
                        name.text,
                        (isText ? value.stringValue.flatMap { try? JSONValue(parsing: $0) } : nil)
                            ?? value.json
                    )
                }))
    }

    /// What a secret is, without what each use of it changes.
    private static func essence(_ name: AttributeName, _ item: Item?) -> AttributeValue? {
        let value = item?[name]
        return name == "secondFactor" ? value?.mapValue?["secret"] : value
    }
}
