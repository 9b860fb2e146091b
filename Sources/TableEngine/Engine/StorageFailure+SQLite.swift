import DynamoModel
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
        self.init(kind: kind, reason: error.reason, hint: error.hint, doubt: Self.doubt(after: error))
    }

    /// What of the file an error puts in doubt.
    ///
    /// After a failed sync the system may have dropped what it could not write, and a later sync would not tell. What a
    /// failed write or sync of the log can have touched is the log; what a failed one of the database file can have
    /// touched is in the log still, which begins anew only after a sync of the file that succeeded. Where something
    /// could not be read, or there was no space or memory, the file holds what it held before.
    private static func doubt(after error: SQLiteError) -> Doubt {
        if error.kind == .corrupt || error.kind == .notADatabase { return .file }
        return error.isOfChange ? .log : .nothing
    }

    /// A stored item that cannot be read.
    init(damagedItemIn path: String, _ error: ItemCodecError) {
        switch error {
        case .unknownFormat(let format):
            self.init(
                kind: .corrupt, reason: "cannot read an item in \(path): its format is \(format)",
                hint: "If a newer version of this program has written the file, use that one; else restore the last"
                    + " backup")
        case .unknownKey(let name):
            self.init(
                kind: .corrupt,
                reason: "cannot read an item in \(path): it is encrypted with the data key \(name), which is not there",
                hint: "Give the key that it was encrypted by in at-rest.former-key; else restore the last backup")
        case .damaged:
            self.init(
                kind: .corrupt, reason: "cannot read an item in \(path): its bytes are damaged",
                hint: "Stop the server, keep a copy of the file, and restore the last backup")
        }
    }

    /// Whether something was not read, or is not what was written.
    var isOfReading: Bool { kind == .inputOutput || kind == .corrupt || kind == .notADatabase }

    /// Whether it may be one transaction's own, and not the device's or the whole file's: a page that cannot be read, a
    /// row that the schema does not allow, more memory than there is.
    var mayBeOneTransactions: Bool { doubt == .nothing && (kind == .inputOutput || kind == .other) }

    /// Whether it is the file's or the device's, and not that of a stored item whose bytes are damaged.
    var concernsAllWrites: Bool { kind != .corrupt || doubt != .nothing }
}

extension TableError {
    /// Whether there was no space for something.
    var isOfFullDisk: Bool {
        if case .storage(let failure) = self { failure.kind == .full } else { false }
    }

    init(_ error: SQLiteError) { self = .storage(StorageFailure(error)) }
}

/// Runs `body` and turns what SQLite throws into an error of tables.
func convertingErrors<Result>(
    _ body: () throws(SQLiteError) -> Result
) throws(TableError) -> Result {
    do throws(SQLiteError) { return try body() } catch { throw TableError(error) }
}
