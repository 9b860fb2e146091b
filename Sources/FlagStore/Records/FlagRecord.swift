import Bytes
import FlagCore
import JSON

/// A flag of one environment as it is stored.
package struct FlagRecord: Sendable, Equatable {
    /// The environment that the flag belongs to.
    package var environment: Environment
    /// The key, unique in its environment.
    package var key: String
    /// What the flag is for.
    package var description: String
    /// Who answers for it.
    package var owner: String
    /// How it decides.
    package var rule: FlagRule
    /// Whether the rule was stored although it is not valid (`import --keep-invalid`): such a flag answers
    /// `PARSE_ERROR`.
    package var isKeptInvalid = false
    /// When the flag should be gone: never changes an answer.
    package var expiresAt: Timestamp?
    /// Words to find it by, sorted, each once.
    package var tags: [String] = []
    /// Whether a key that lies in a browser or an app may evaluate it.
    package var isClientSide = false
    /// Whether it was put away: no client knows it any more, and its key stays taken.
    package var isArchived = false
    /// How many others have to agree to a change of it, whatever its environment asks for.
    package var approvals = 0
    /// When it was created.
    package var createdAt: Timestamp
    /// When it was last changed.
    package var updatedAt: Timestamp
    /// 1 when created, one more with every change.
    package var version: Int64

    /// Whether the flag outlived its date and should be cleaned up.
    package func isStale(at now: Timestamp) -> Bool {
        expiresAt.map { $0 <= now } ?? false
    }

    /// The flag's `ETag`: equal as long as nothing changed. The version alone would not do: a flag that was deleted and
    /// created again, or that somebody changed in the table by hand, may have the same one.
    ///
    /// - Parameter killSwitch: what is shown beside the flag (RFC 9110 section 8.8.1: another tag for another form).
    package func entityTag(killSwitch: KillSwitchRecord? = nil) -> String {
        let content = json(at: Timestamp(millisecondsSinceEpoch: .min), killSwitch: killSwitch).serialized()
        return "\"\(version)-\(String(ByteHash.fingerprint(content), radix: 16))\""
    }
}

extension FlagRecord {
    /// The flag as the interface shows it, members in a fixed order. What this answers may be edited and put back.
    ///
    /// - Parameters:
    ///   - now: a flag that is past its date by then carries `"stale": true`.
    ///   - killSwitch: the kill switch that takes it away.
    package func json(at now: Timestamp, killSwitch: KillSwitchRecord? = nil) -> JSONValue {
        var object = JSONObject()
        object["flagKey"] = .string(key)
        object["description"] = .string(description)
        addRule(to: &object)
        object["owner"] = .string(owner)
        object["environment"] = .string(environment.rawValue)
        if !tags.isEmpty { object["tags"] = .array(tags.map { .string($0) }) }
        // As with tags, what most flags are is not told.
        if isClientSide { object["clientSide"] = true }
        if isArchived { object["archived"] = true }
        if approvals > 0 { object["approvals"] = .integer(Int64(approvals)) }
        if let expiresAt { object["expiresAt"] = .string(expiresAt.rfc3339) }
        if isStale(at: now) { object["stale"] = true }
        if let killSwitch { object["killSwitch"] = killSwitch.json }
        object["createdAt"] = .string(createdAt.rfc3339)
        object["updatedAt"] = .string(updatedAt.rfc3339)
        object["version"] = .integer(version)
        return .object(object)
    }

    private func addRule(to object: inout JSONObject) {
        defer {
            if let text = rule.requires { object["requires"] = (try? JSONValue(parsing: text)) ?? .string(text) }
        }
        switch rule.spelling {
        case .simple(let defaultEnabled):
            object["defaultEnabled"] = .bool(defaultEnabled)
            if let text = rule.rollout {
                // What is not even JSON is shown as it is, so that somebody can see what to repair.
                object["rollout"] = (try? JSONValue(parsing: text)) ?? .string(text)
            }
        case .full(let text):
            guard case .object(let stored)? = try? JSONValue(parsing: text) else {
                // Not even an object: shown as it is, so that somebody can see what to repair.
                object["definition"] = .string(text)
                return
            }
            // Only what may be put back: somebody else may have stored more.
            for (name, value) in FlagRule.definition(in: stored).members { object[name] = value }
        }
    }
}
