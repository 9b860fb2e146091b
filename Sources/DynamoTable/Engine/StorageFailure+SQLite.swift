import SQLite

extension StorageFailure {
    /// The failure that an error of SQLite is.
    init(_ error: SQLiteError) {
        let kind: Kind
        switch error.kind {
        case .full: kind = .full
        case .readOnly: kind = .readOnly
        case .locked: kind = .locked
        case .cannotOpen: kind = .cannotOpen
        case .corrupt: kind = .corrupt
        case .notADatabase: kind = .notADatabase
        case .inputOutput: kind = .inputOutput
        case .constraint, .other: kind = .other
        }
        self.init(kind: kind, reason: error.reason, hint: error.hint)
    }

    /// A stored item that cannot be read.
    init(damagedItemIn path: String, _ error: ItemCodecError) {
        switch error {
        case .unknownFormat(let format):
            self.init(
                kind: .corrupt, reason: "cannot read an item in \(path): its format is \(format)",
                hint: "If a newer version of this program has written the file, use that one; else restore the last"
                    + " backup")
        case .damaged:
            self.init(
                kind: .corrupt, reason: "cannot read an item in \(path): its bytes are damaged",
                hint: "Stop the server, keep a copy of the file, and restore the last backup")
        }
    }

    /// Whether it is in doubt what the file holds: no write may follow until it was reopened and verified.
    ///
    /// After a failed sync the system may have dropped what it could not write, and a later sync would not tell. A full
    /// or locked file is left as it was before.
    var leavesFileInDoubt: Bool {
        switch kind {
        case .full, .locked, .readOnly: false
        case .cannotOpen, .corrupt, .notADatabase, .inputOutput, .other: true
        }
    }
}

extension TableError {
    init(_ error: SQLiteError) { self = .storage(StorageFailure(error)) }
}

/// Runs `body` and turns what SQLite throws into an error of tables.
func convertingErrors<Result>(
    _ body: () throws(SQLiteError) -> Result
) throws(TableError) -> Result {
    do throws(SQLiteError) { return try body() } catch { throw TableError(error) }
}
