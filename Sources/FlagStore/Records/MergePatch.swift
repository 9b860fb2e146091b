import FlagCore
import JSON

/// A partial change of a record as RFC 7396 has it: objects are merged member by member at every depth, null takes a
/// member away, anything else replaces what was there.
struct MergePatch: Sendable {
    /// The members that are given.
    let members: JSONObject

    /// Reads a body.
    ///
    /// - Throws: when it is no object, or changes nothing.
    init(json: JSONValue) throws(DefinitionIssues) {
        guard case .object(let members) = json, !members.isEmpty else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "", message: "must be an object with the members to change")
            ])
        }
        self.members = members
    }

    /// The body of a replacement, from a record as the interface shows it.
    func applied(to object: JSONObject) -> JSONObject {
        var object = object
        // Whoever patches has read nothing: only what the patch itself says is checked against the record.
        for name in ["version", "createdAt", "updatedAt", "environment", "stale"] { object[name] = nil }
        return object.merged(with: members)
    }
}
