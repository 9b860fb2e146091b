import FlagCore
import JSON

/// What a flag, a segment or an override says in a version, and which that is.
package struct VersionState: Sendable {
    /// The version; nil for an override as it is.
    package let version: Int64?
    /// The entry of the history that made it; nil for what is there now.
    package let entry: FlagHistoryEntry?
    /// What it says, as a body says it.
    package let content: JSONObject

    /// Which version it is, as the interface shows it.
    package var json: JSONValue {
        guard var object = entry?.json.objectValue else {
            return version.map { ["version": .integer($0)] } ?? .object(JSONObject())
        }
        for name in ["attributes", "changes", "moreChanges"] { object[name] = nil }
        return .object(object)
    }
}

extension FlagHistoryEntry {
    /// The entry as the interface shows it, with what was said then, and without how that came about.
    package var wholeJSON: JSONValue {
        var object = json.objectValue ?? JSONObject()
        for name in ["attributes", "changes", "moreChanges"] { object[name] = nil }
        object["content"] = content.object.map { .object($0) }
        return .object(object)
    }
}
