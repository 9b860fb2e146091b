import CSQLite
import Glibc

/// A prepared statement of a connection, used like that by one thread at a time.
///
/// Bind its parameters (numbered from 1), `step` through its rows reading columns (numbered from 0), and `reset` it;
/// `run` does the last two for a statement without rows.
package final class Statement {
    private var handle: OpaquePointer?
    private unowned let connection: DatabaseConnection

    /// Takes over a prepared statement.
    init(_ handle: OpaquePointer, connection: DatabaseConnection) {
        self.handle = handle
        self.connection = connection
    }

    /// Gives SQLite's statement up; the connection does so before it closes.
    func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    /// Binds a whole number.
    package func bind(_ value: Int64, at parameter: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, parameter, value))
    }

    /// Binds text; it is copied.
    package func bind(_ text: String, at parameter: Int32) throws(SQLiteError) {
        var text = text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty buffer may have no address, which SQLite would take for NULL.
                characters.baseAddress.map {
                    sqlite3_bind_text(handle, parameter, $0, Int32(characters.count), transient)
                } ?? sqlite3_bind_text(handle, parameter, "", 0, transient)
            }
        }
        try check(status)
    }

    /// Binds bytes; they are copied.
    package func bind(_ bytes: [UInt8], at parameter: Int32) throws(SQLiteError) {
        let status = bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, !buffer.isEmpty else {
                return sqlite3_bind_zeroblob(handle, parameter, 0)
            }
            return sqlite3_bind_blob(handle, parameter, start, Int32(buffer.count), transient)
        }
        try check(status)
    }

    /// Binds bytes, or NULL for nil; they are copied.
    package func bind(_ bytes: [UInt8]?, at parameter: Int32) throws(SQLiteError) {
        guard let bytes else { return try check(sqlite3_bind_null(handle, parameter)) }
        try bind(bytes, at: parameter)
    }

    /// Goes to the next row.
    ///
    /// - Returns: whether there is one.
    package func step(_ operation: StaticString = "read") throws(SQLiteError) -> Bool {
        errno = 0
        let status = sqlite3_step(handle)
        if status == SQLITE_ROW { return true }
        if status == SQLITE_DONE { return false }
        let failure = connection.error("\(operation)", status: status)
        sqlite3_reset(handle)
        throw failure
    }

    /// Runs a statement that answers no rows, and resets it.
    package func run(_ operation: StaticString = "write") throws(SQLiteError) {
        _ = try step(operation)
        sqlite3_reset(handle)
    }

    /// Ends the reading of rows, so that the statement can be run again; what is bound stays.
    package func reset() { sqlite3_reset(handle) }

    /// The whole number in a column of the row.
    package func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The text in a column of the row.
    package func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The bytes in a column of the row, not copied: valid until the next `step`, `reset` or `run`.
    package func blob(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    /// Whether a column of the row is NULL.
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    private func check(_ status: Int32) throws(SQLiteError) {
        guard status == SQLITE_OK else { throw connection.error("bind a parameter for", status: status) }
    }
}

/// Tells SQLite to copy what is bound: its `SQLITE_TRANSIENT`, a macro that Swift does not import.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
