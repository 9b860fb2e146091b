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

extension FlagRepository {
    /// What something says in a version. Blocks.
    ///
    /// - Parameter name: which; nil for what it says now.
    /// - Throws: as `version`; `notFound` and `invalid` where there is nothing now, or nothing valid.
    func state(
        _ name: VersionName?, of subject: HistorySubject, in environment: Environment
    ) throws(FlagStoreError) -> VersionState {
        if let name {
            let entry = try version(name, of: subject, in: environment)
            guard let content = entry.content.object else { throw .versionNotKept(of: subject.thing, name) }
            return VersionState(version: entry.version, entry: entry, content: content)
        }
        switch subject {
        case .flag(let key):
            let flag = try flag(key, in: environment)
            return VersionState(version: flag.version, entry: nil, content: flag.content)
        case .segment(let name):
            let segment = try segment(name, in: environment)
            return VersionState(version: segment.version, entry: nil, content: segment.content)
        case .override(let flagKey, let tenant):
            let override = try override(ofTenant: tenant, flagKey: flagKey, in: environment)
            return VersionState(version: nil, entry: nil, content: override.content)
        }
    }
}
