import DynamoModel
import Glibc
import SQLite

/// The data keys in the file.
extension StoreFile {
    private static let keysSetting = "store.keys"

    /// The data keys, nil when there are none: then no item is encrypted.
    ///
    /// - Throws: `storage` when they cannot be read.
    static func keyRing(_ connection: DatabaseConnection) throws(TableError) -> KeyRing? {
        let text = try convertingErrors { () throws(SQLiteError) in try setting(connection, keysSetting) }
        guard let text else { return nil }
        guard let ring = KeyRing(text: text) else {
            throw .storage(
                StorageFailure(
                    kind: .corrupt, reason: "cannot open \(connection.path): its encrypted data keys cannot be read",
                    hint: "Keep a copy of the file, and restore the last backup"))
        }
        return ring
    }

    /// Stores the data keys, in the transaction under way. Programs that do not know them refuse the file from then on.
    static func setKeyRing(_ connection: DatabaseConnection, _ ring: KeyRing) throws(SQLiteError) {
        try set(connection, keysSetting, to: ring.text)
        try connection.execute("PRAGMA user_version = 2", operation: "lay out")
    }

    /// What items of the file are read with, and written.
    ///
    /// - Parameter keys: the operator's keys.
    /// - Throws: `storage` when they are not those of the file.
    static func seal(_ connection: DatabaseConnection, by keys: AtRestKeys) throws(TableError) -> ItemSeal {
        let ring = try keyRing(connection)
        return ItemSeal(ring, try StoreKeys.open(ring, by: keys, in: connection.path), by: keys)
    }

    /// Looks whether the operator's keys are those of a file, and writes nothing.
    ///
    /// - Throws: `storage` when they are not. What else is wrong with the file is left to whoever opens it.
    static func checkKeys(of path: String, _ keys: AtRestKeys) throws(TableError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0, let looking = try? openForLooking(path) else { return }
        defer { looking.close() }
        guard let ring = try? keyRing(looking) else { return }
        _ = try StoreKeys.open(ring, by: keys, in: path)
    }

    /// Makes the data keys what they have to be by the operator's keys, and notes what has to be encrypted anew.
    static func renewKeys(
        _ connection: DatabaseConnection, _ seal: ItemSeal, by keys: AtRestKeys
    ) throws(TableError) {
        let renewed = try KeyRing.renewed(seal.ring, seal.keys, by: keys, rotating: false, in: connection.path)
        guard let renewed else { return }
        try convertingErrors { () throws(SQLiteError) in
            try connection.write { () throws(SQLiteError) in try begin(connection, renewed.ring, after: seal.ring) }
        }
        seal.adopt(renewed.ring, renewed.keys, by: keys)
    }

    /// The largest file that is rewritten while others wait to write to it, in bytes: about a second.
    static let compactedBytesMax: Int64 = 64 * 1024 * 1024

    /// Wipes out of a file that is being opened what a server could not while it was in use: what was not encrypted.
    static func wipePlain(_ connection: DatabaseConnection) throws(TableError) {
        try convertingErrors { () throws(SQLiteError) in
            guard let noted = try Resealing.noted(connection), noted.left == 0, noted.mayHavePlain else { return }
            try connection.compact()
            try connection.checkpoint(.truncate)
            try connection.write { () throws(SQLiteError) in try Resealing.forget(connection) }
        }
    }

    /// Stores other data keys, in the transaction under way, and notes what has to be encrypted anew.
    static func begin(
        _ connection: DatabaseConnection, _ ring: KeyRing, after former: KeyRing?
    ) throws(SQLiteError) {
        try setKeyRing(connection, ring)
        var noted = try Resealing.noted(connection)
        let (last, end) = (try lastRow(connection), try ChangeJournal.end(connection).sequence)
        if last == 0, end == 0, noted == nil { return }
        // What was never encrypted leaves traces in the file, and so does what one that was broken off has not reached.
        let hadPlain = former?.current == nil || noted?.mayHavePlain ?? false
        noted = Resealing(row: 0, lastRow: last, change: 0, lastChange: end, mayHavePlain: hadPlain)
        try noted?.note(connection)
    }

    private static func lastRow(_ connection: DatabaseConnection) throws(SQLiteError) -> Int64 {
        let last = try connection.statement("SELECT coalesce(max(id), 0) FROM item")
        defer { last.reset() }
        return try last.step() ? last.int64(0) : 0
    }
}

/// How far the items and changes of the file are encrypted anew, noted in the transactions that do it: so it goes on
/// after a crash where it was.
struct Resealing: Sendable, Equatable {
    /// The row of the last item that was looked at.
    var row: Int64
    /// The last row that is to be looked at: later ones were encrypted as they came.
    let lastRow: Int64
    /// The last change that was looked at.
    var change: Int64
    /// The last change that is to be looked at.
    let lastChange: Int64
    /// Whether items may have been stored that were not encrypted: of such ones, parts of the file that are not in use
    /// may have copies.
    let mayHavePlain: Bool

    /// How much is left to be looked at, in rows and changes.
    var left: Int { Int(max(0, lastRow - row) + max(0, lastChange - change)) }

    private static let setting = "store.resealing"

    /// What is noted; nil when nothing is to be done.
    static func noted(_ connection: DatabaseConnection) throws(SQLiteError) -> Resealing? {
        let text = try StoreFile.setting(connection, setting)
        let numbers = text?.split(separator: " ").compactMap { Int64($0) } ?? []
        guard numbers.count == 5 else { return nil }
        return Resealing(
            row: numbers[0], lastRow: numbers[1], change: numbers[2], lastChange: numbers[3],
            mayHavePlain: numbers[4] != 0)
    }

    /// Notes this.
    func note(_ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.set(
            connection, Self.setting, to: "\(row) \(lastRow) \(change) \(lastChange) \(mayHavePlain ? 1 : 0)")
    }

    /// Notes that nothing is to be done.
    static func forget(_ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.removeSetting(connection, setting)
    }
}
