import FlagCore
import FlagStore
import JSON

/// What a table is made of, and how it is called.
struct RestoreRequest: Sendable, Equatable {
    /// Where the content comes from.
    enum Source: Sendable, Equatable {
        /// The backup of this identifier.
        case backup(String)
        /// The file of a backup, on the server's machine.
        case file(String)
        /// A table (nil for the flags' own) as it was at a time; nil for the last write.
        case table(String?, at: Timestamp?)
    }

    let source: Source
    /// The table's name; nil for that of the table that the content is of.
    let target: String?
    /// Whether a table of the name is replaced.
    let replaces: Bool
    /// Where the clock has shown the time several times, at which of them, from 1.
    var pass: Int?

    /// Reads `{"backup": …}`, `{"file": …}` or `{"time": …, "pass"?, "table"?}`, each with `"target"?` and
    /// `"replace"?`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "that says what is to be restored")
        let backup = reader.name("backup")
        let file = reader.name("file")
        let hasTime = reader.value("time") != nil
        let time = reader.value("time") == .string("latest") ? nil : reader.time("time")
        let table = reader.name("table")
        target = reader.name("target")
        replaces = reader.flag("replace") ?? false
        pass = reader.integer("pass", in: 1...Int.max)
        if [backup != nil, file != nil, hasTime].count(where: { $0 }) != 1 {
            reader.report("backup", "name one of backup, file and time, and only one")
        }
        if pass != nil, time == nil { reader.report("pass", "says more of a time, and goes with one alone") }
        try reader.finish()
        source = backup.map { .backup($0) } ?? file.map { .file($0) } ?? .table(table, at: time)
    }
}

extension FieldReader {
    /// A text that is not empty; nil when absent or wrong, which is noted.
    mutating func name(_ name: String) -> String? {
        switch value(name) {
        case nil: return nil
        case .string(let text)? where !text.isEmpty: return text
        default:
            report(name, "must be a text")
            return nil
        }
    }
}
