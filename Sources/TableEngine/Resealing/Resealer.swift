import DynamoModel
import Platform
import SQLite
import Synchronization

/// Encrypts anew what is stored, after the data key has become another one: in small transactions, beside whatever else
/// is written. Each notes how far it is, so that it goes on where it was after a crash.
final class Resealer: Sendable {
    private let store: OpenStore
    private let isUnderWay = Atomic(false)
    private let isCancelled = Atomic(false)

    /// How many rows one transaction looks at, and how many bytes it writes: others wait for some milliseconds.
    private static let rowsPerStep = 500
    private static let bytesPerStep = 512 * 1024

    init(_ store: OpenStore) { self.store = store }

    /// Ends what is under way at its next step.
    func close() { isCancelled.store(true, ordering: .releasing) }

    /// What is noted; nil when nothing is to be done.
    func noted() throws(TableError) -> Resealing? {
        try store.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try Resealing.noted(connection) }
        }
    }

    /// Takes another data key, by which everything is encrypted from now on. Blocks until that is durable.
    ///
    /// - Parameter keys: the operator's keys.
    /// - Throws: `storage` when they are not those of the store.
    func begin(_ keys: AtRestKeys) throws(TableError) {
        var renewed: (ring: KeyRing, keys: [UInt64: DataKey])?
        try store.writer.write { (connection) throws(TableError) in
            let ring = try StoreFile.keyRing(connection)
            let opened = try StoreKeys.open(ring, by: keys, in: connection.path)
            renewed = try KeyRing.renewed(ring, opened, by: keys, rotating: true, in: connection.path)
            guard let renewed else { return }
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.begin(connection, renewed.ring, after: ring)
            }
        } finish: { _ in
            if let renewed { store.seal.adopt(renewed.ring, renewed.keys, by: keys) }
        }
    }

    /// Does what is noted, to its end. Blocks; O(everything). Returns at once where it is done already.
    ///
    /// - Returns: how many items and changes could not be read, which are left as they are.
    /// - Throws: `closed` when it was given up, `storage`.
    func run(_ watch: WorkWatch) throws(TableError) -> Int {
        guard isUnderWay.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return 0 }
        defer { isUnderWay.store(false, ordering: .releasing) }
        guard let noted = try noted() else { return 0 }
        watch.expect(noted.left)
        var (left, unread) = (noted.left, 0)
        while left > 0 {
            if watch.isCancelled() || isCancelled.load(ordering: .acquiring) { throw .closed }
            let before = left
            try store.writer.write { (connection) throws(TableError) in
                try step(connection)
            } finish: { done in
                left = done.left
                unread += done.unread
            }
            watch.note(before - left)
        }
        try finish()
        return unread
    }

    /// Whether somebody does it at the moment.
    var isRunning: Bool { isUnderWay.load(ordering: .acquiring) }

    private func step(_ connection: DatabaseConnection) throws(TableError) -> (left: Int, unread: Int) {
        try convertingErrors { () throws(SQLiteError) in
            guard var noted = try Resealing.noted(connection) else { return (0, 0) }
            var pass = ResealingPass(connection, store, rows: Self.rowsPerStep, bytes: Self.bytesPerStep)
            if noted.row < noted.lastRow {
                noted.row = try pass.items(after: noted.row, upTo: noted.lastRow)
            } else {
                noted.change = try pass.changes(after: noted.change, upTo: noted.lastChange)
            }
            try noted.note(connection)
            return (noted.left, pass.unread)
        }
    }

    /// Everything is as it should be: what was not encrypted is wiped out of the file, and then nothing is noted any
    /// more. A large file is left to the next start, since nobody could write to it for long.
    private func finish() throws(TableError) {
        guard let noted = try noted() else { return }
        if noted.mayHavePlain, let checkpointer = store.checkpointer {
            let size = try store.readers.read { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in try connection.sizeBytes() }
            }
            guard size <= StoreFile.compactedBytesMax else { return }
            try store.writer.compact()
            try checkpointer.emptyLog()
        }
        var settled: KeyRing?
        try store.writer.write { (connection) throws(TableError) in
            let ring = try StoreFile.keyRing(connection)
            try convertingErrors { () throws(SQLiteError) in
                try Resealing.forget(connection)
                guard var ring, ring.current == nil else { return }
                ring.isNeeded = false
                try StoreFile.setKeyRing(connection, ring)
                settled = ring
            }
        } finish: { _ in
            if let settled { store.seal.adopt(settled, store.seal.keys, by: store.seal.operators) }
        }
    }
}
