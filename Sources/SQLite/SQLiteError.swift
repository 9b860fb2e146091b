import CSQLite
import Glibc

/// Why a call of SQLite failed: what was being done, what SQLite and the system said, and what the operator should do.
///
/// Values bound to statements never appear in it.
package struct SQLiteError: Error, Sendable, Equatable {
    /// The failures that call for different actions.
    package enum Kind: Sendable, Equatable {
        /// No space is left on the device.
        case full
        /// The file or its directory cannot be written.
        case readOnly
        /// Another process holds the file's lock for longer than the busy timeout.
        case locked
        /// The file cannot be opened or created.
        case cannotOpen
        /// The file's content contradicts itself.
        case corrupt
        /// The file is something else than a SQLite database.
        case notADatabase
        /// The system failed to read, write or sync.
        case inputOutput
        /// A rule of the schema does not allow the change.
        case constraint
        /// Anything else.
        case other
    }

    /// What was being done, such as `commit`.
    package let operation: String
    /// The database file, or `:memory:`.
    package let path: String
    /// SQLite's extended result code. Source: sqlite.org/rescode.html.
    package let extendedCode: Int32
    /// SQLite's own message.
    package let message: String
    /// The system's error number of the failed call, 0 when there was none.
    package let systemError: Int32

    /// An error of the given members; connections make them from what SQLite says.
    package init(operation: String, path: String, extendedCode: Int32, message: String, systemError: Int32 = 0) {
        self.operation = operation
        self.path = path
        self.extendedCode = extendedCode
        self.message = message
        self.systemError = systemError
    }

    /// `SQLITE_IOERR_CORRUPTFS`, a macro that Swift does not import: the device cannot read what is in the file.
    package static let unreadable = SQLITE_IOERR | 33 << 8

    /// SQLite's primary result code.
    package var code: Int32 { extendedCode & 0xff }

    /// The kind of failure.
    package var kind: Kind {
        switch code {
        case SQLITE_FULL: .full
        case SQLITE_READONLY, SQLITE_PERM: .readOnly
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .locked
        case SQLITE_CANTOPEN: .cannotOpen
        case SQLITE_CORRUPT: .corrupt
        case SQLITE_NOTADB: .notADatabase
        // The index of the log cannot be made longer, or a file system finds out late that it is full.
        case SQLITE_IOERR: systemError == ENOSPC || systemError == EDQUOT ? .full : .inputOutput
        case SQLITE_CONSTRAINT: .constraint
        default: .other
        }
    }

    /// Whether the system failed to write or to sync something, and did not only fail to read it or to look at it.
    package var isOfChange: Bool {
        // Read, short read, file size, no memory, unreadable. Source: sqlite.org/rescode.html.
        code == SQLITE_IOERR && ![1, 2, 7, 12, 33].contains(extendedCode >> 8)
    }

    /// What the operator should do about it.
    package var hint: String {
        switch kind {
        case .full:
            "Free space on the device of \(path); writing goes on by itself once there is some"
        case .readOnly:
            "Let the server's user write \(path) and its directory, and see that the file system is not mounted"
                + " read-only"
        case .locked:
            "Find the other process that has \(path) open (fuser \(path)) and end it"
        case .cannotOpen:
            "See that the directory of \(path) exists and that the server's user may read and write it"
        case .corrupt:
            "Stop the server, keep a copy of \(path), and restore the last backup"
        case .notADatabase:
            "\(path) is no SQLite database, or is encrypted or damaged at its beginning: name another data directory,"
                + " or restore the last backup"
        case .inputOutput:
            "Look for errors of the device of \(path) in the system's log (dmesg). This says nothing against the data:"
                + " keep the files, and restore no backup over them before the device was looked at"
        case .constraint, .other:
            "This is not expected: report it with this message"
        }
    }
}

extension SQLiteError: CustomStringConvertible {
    /// As in `cannot commit to /data/flags.db: database or disk is full (SQLite 13)`, without the hint.
    package var reason: String {
        let system = systemError == 0 ? "" : ", \(String(cString: strerror(systemError)))"
        // SQLite has one text for all errors of input and output.
        let message = kind == .full && code == SQLITE_IOERR ? "the disk is full" : message
        return "cannot \(operation) \(path): \(message) (SQLite \(extendedCode)\(system))"
    }

    /// Reason and hint.
    package var description: String { "\(reason). \(hint)" }
}
