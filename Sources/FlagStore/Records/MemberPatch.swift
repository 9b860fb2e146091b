import FlagCore
import JSON

/// A partial change of a record: the members that are given replace those that it has, null takes one away. Not
/// recursive: a rule that was merged from two would be neither's.
struct MemberPatch: Sendable {
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
        for (name, value) in members.members { object[name] = value == .null ? nil : value }
        return object
    }
}
