import FlagCore
import JSON

extension VersionName {
    /// Reads the body of a rollback: `{"version": 7}`, or `{"entry": 81723}`.
    ///
    /// - Throws: everything that is wrong with it.
    init(body: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: body, #"that names a version, such as {"version": 7}"#)
        let version = reader.version("version")
        let entry = reader.version("entry")
        switch (reader.value("version"), reader.value("entry")) {
        case (nil, nil):
            reader.report("version", "is required, or else entry with the number of an entry of the history")
        case (_?, _?): reader.report("entry", "does not go with version: give one of them")
        default: break
        }
        try reader.finish()
        self = version.map(VersionName.number) ?? .entry(entry ?? 0)
    }
}
