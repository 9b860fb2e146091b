import DynamoModel
import Glibc
import Platform
import SQLite

/// Tables in one SQLite file.
///
/// - Reads run on up to `TableLimits.readersMax` threads at a time, beside writing.
/// - Writes are committed in groups by one writer; an answered write survives the end of the process and of the power.
/// - One process owns the file; what others write to it all the same is found by `deliverForeignChanges`.
package final class SQLiteTableStore: TableStore {
    /// Where the tables are.
    package enum Location: Sendable {
        /// In the file `flags.db` of this directory, which must exist.
        case directory(String)
        /// In memory only: the same engine, nothing on disk.
        case memory
    }

    /// The name of the file in the data directory.
    package static let fileName = "flags.db"

    /// A random identifier of this store, made when it was created, and anew whenever a table was restored: whoever
    /// remembers something of the content by it must not take one for the other.
    package var storeID: String { identifier.withLock { $0 } }

    let path: String
    package let limits: TableLimits
    package let catalog: TableCatalog
    let seal: ItemSeal
    let readers: ReaderPool
    let writer: Writer
    let backups: BackupService
    /// The first identifier that the store had: its tables are known by it.
    let originID: String
    /// The tokens of transactions that the file had when it was opened, the oldest first.
    package let storedTokens: [TransactionToken]
    private let identifier: Locked<String>
    private let reserve: DiskReserve?
    let checkpointer: Checkpointer?
    private let time: StoreClock
    let resealer: Resealer
    let readKeys: @Sendable () throws(TableError) -> AtRestKeys

    /// Opens the store, creating its file if there is none.
    ///
    /// - Parameters:
    ///   - location: where the tables are.
    ///   - limits: the bounds of everything.
    ///   - elapsed: the milliseconds since some moment, of a clock that nobody sets; nil where `clock` is such a one.
    ///   - clock: the time, in milliseconds since 1970, which is told and never waited by.
    ///   - delay: what is waited by.
    ///   - settingsOfBackups: settings that go into backups of tables which internal ones accompany: a restore sets
    ///     them, or refuses where they differ.
    ///   - keys: reads the operator's keys, by which items are encrypted; called again when they are to be exchanged.
    /// - Throws: `storage` with what the operator should do.
    package static func open(
        _ location: Location, limits: TableLimits = TableLimits(), elapsed: (@Sendable () -> Int64)? = nil,
        clock: @escaping @Sendable () -> Int64, delay: Delay = .monotonic, settingsOfBackups: [String] = [],
        keys: @escaping @Sendable () throws(TableError) -> AtRestKeys = { () throws(TableError) in .none }
    ) throws(TableError) -> SQLiteTableStore {
        try SQLiteTableStore(
            location, limits, StoreClock(wall: clock, elapsed: elapsed), .system, delay, settingsOfBackups, keys)
    }

    /// Opens the store with the system's clocks; see the other `open`.
    package static func open(
        _ location: Location, limits: TableLimits = TableLimits(), delay: Delay = .monotonic,
        settingsOfBackups: [String] = [],
        keys: @escaping @Sendable () throws(TableError) -> AtRestKeys = { () throws(TableError) in .none }
    ) throws(TableError) -> SQLiteTableStore {
        try open(
            location, limits: limits, elapsed: { SystemClock.bootMilliseconds },
            clock: { SystemClock.wallMilliseconds }, delay: delay, settingsOfBackups: settingsOfBackups, keys: keys)
    }

    /// Opens the store.
    ///
    /// - Parameters:
    ///   - time: its clocks.
    ///   - fileCalls: what its backups and logs are written with.
    ///   - delay: what is waited by.
    ///   - settingsOfBackups: see `open`.
    ///   - readKeys: see `open`.
    init(
        _ location: Location, _ limits: TableLimits, _ time: StoreClock, _ fileCalls: FileCalls,
        _ delay: Delay = .monotonic, _ settingsOfBackups: [String] = [],
        _ readKeys: @escaping @Sendable () throws(TableError) -> AtRestKeys = { () throws(TableError) in .none }
    ) throws(TableError) {
        let directory: String? = if case .directory(let path) = location { path } else { nil }
        let isInMemory = directory == nil
        let path = directory.map { "\($0)/\(Self.fileName)" } ?? ":memory:"
        limits.check()
        self.path = path
        self.limits = limits
        self.time = time
        self.readKeys = readKeys
        catalog = TableCatalog()
        let keys = try readKeys()
        // Before anything is written: whoever gives a wrong key leaves the files as they are.
        if !isInMemory { try StoreFile.checkKeys(of: path, keys) }
        reserve =
            try limits.reserveBytes == 0
            ? nil
            : directory.map { (directory) throws(TableError) in
                try DiskReserve(directory: directory, bytes: limits.reserveBytes)
            }
        let connection = try Self.openForWriting(path, reserve)
        seal = try StoreFile.seal(connection, by: keys)
        try StoreFile.renewKeys(connection, seal, by: keys)
        if !isInMemory { try StoreFile.wipePlain(connection) }
        let (storeID, originID, tokens) = try convertingErrors { () throws(SQLiteError) in
            (
                try StoreFile.setting(connection, StoreFile.Setting.storeID) ?? "",
                try StoreFile.setting(connection, StoreFile.Setting.originID), try StoreFile.tokens(connection)
            )
        }
        storedTokens = tokens
        let identifier = Locked(storeID)
        self.identifier = identifier
        self.originID = originID ?? storeID
        let retention = ChangeRetention()
        readers = isInMemory ? ReaderPool(sharing: connection) : ReaderPool(path: path, count: limits.readersMax)
        checkpointer = isInMemory ? nil : Checkpointer(path: path)
        writer = try Writer(
            connection: connection, catalog: catalog, seal: seal, readers: readers, checkpointer: checkpointer,
            reserve: reserve, limits: limits, retention: retention, time: time, delay: delay)
        let store = OpenStore(
            readers: readers, writer: writer, catalog: catalog, seal: seal, checkpointer: checkpointer,
            retention: retention, vault: BackupVault(directory: directory, fileCalls), time: time, delay: delay,
            originID: self.originID, settingsOfBackups: settingsOfBackups)
        resealer = Resealer(store)
        backups = try BackupService(store)
        backups.subscribe { _ in
            // Where it cannot be read, a restart finds it.
            guard let renewed = try? store.setting(StoreFile.Setting.storeID) else { return }
            identifier.withLock { $0 = renewed }
        }
    }

    /// Opens the file, which needs some space by itself: what is set aside is there for those who stop a server on a
    /// full disk and start it again.
    private static func openForWriting(_ path: String, _ reserve: DiskReserve?) throws(TableError) -> DatabaseConnection
    {
        while true {
            do throws(TableError) {
                return try StoreFile.openForWriting(path, creating: true)
            } catch {
                guard error.isOfFullDisk, let reserve, reserve.giveUpPart() else { throw error }
            }
        }
    }

    /// Finishes the writes that wait, takes no more, and closes the file. Blocks.
    ///
    /// The store answers `closed` from then on.
    package func close() {
        resealer.close()
        backups.close()
        writer.close()
        checkpointer?.close()
        readers.close()
    }
}

// MARK: - Settings

extension SQLiteTableStore {
    /// The value of a setting that is stored with the data, nil when it was never set. Blocks.
    package func setting(_ name: String) throws(TableError) -> String? {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try StoreFile.setting(connection, name) }
        }
    }

    /// Stores a setting with the data. Blocks until it is on disk.
    package func setSetting(_ name: String, to value: String) throws(TableError) {
        try writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try StoreFile.set(connection, name, to: value) }
        }
    }
}

// MARK: - Age

extension SQLiteTableStore {
    /// The present time, in milliseconds since 1970, as far as something may be forgotten for its age by it; nil for
    /// the first hour of a store, in which a machine that began with a wrong clock has it put right.
    package var timeForForgetting: Int64? { time.timeForForgetting }
}

// MARK: - Trouble

extension SQLiteTableStore {
    /// Why writes fail, nil while they do not. Noticed by whoever writes; once they fail it is tried every second.
    package var writeTrouble: TableError? { writer.trouble.current }

    /// What was set aside on the disk for urgent writes: how many bytes are left, and whether that is all of it. Nil
    /// where nothing was.
    package var reserveState: (leftBytes: Int, isWhole: Bool)? { reserve.map { ($0.leftBytes, $0.isWhole) } }

    /// Calls `deliver` when writes begin to fail, with the reason, and with nil when they succeed again. From the
    /// writer's queue, which must not be kept waiting.
    package func subscribeToWriteTrouble(_ deliver: @escaping @Sendable (TableError?) -> Void) {
        writer.trouble.subscribe(deliver)
    }
}

// MARK: - TableWriter

extension SQLiteTableStore {
    package func transact(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        transact(operations, token: nil, principal: principal, urgency: urgency, completion: completion)
    }

    /// Does a transaction and stores its token with it.
    package func transact(
        _ operations: [WriteOperation], token: TransactionToken?, principal: Principal, urgency: WriteUrgency = .usual,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        do throws(TableError) {
            try writer.enqueue(try prepare(operations, token: token, principal, urgency, completion))
        } catch {
            completion(.failure(error))
        }
    }

    func prepare(
        _ operations: [WriteOperation], token: TransactionToken? = nil, _ principal: Principal,
        _ urgency: WriteUrgency = .usual,
        _ completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) throws(TableError) -> PreparedTransaction {
        guard (1...limits.transactionOperationsMax).contains(operations.count) else {
            throw .validation("A transaction has 1 to \(limits.transactionOperationsMax) operations")
        }
        var prepared: [PreparedTransaction.Operation] = []
        prepared.reserveCapacity(operations.count)
        for (position, operation) in operations.enumerated() {
            let definition = try catalog.definition(operation.table)
            do throws(TableError) {
                prepared.append(try PreparedTransaction.Operation(operation, of: definition, limits))
            } catch {
                guard operations.count > 1, case .validation(let message) = error else { throw error }
                // Like DynamoDB, which looks no further once one is wrong.
                var reasons: [CancellationReason?] = Array(repeating: nil, count: operations.count)
                reasons[position] = .validation(message)
                throw .transactionCanceled(reasons)
            }
        }
        guard prepared.reduce(0, { $0 + $1.itemBytes }) <= limits.transactionBytesMax else {
            throw .validation("Transaction's aggregate item size cannot exceed \(limits.transactionBytesMax) bytes")
        }
        if prepared.count > 1, Set(prepared.map(\.keyBytes)).count < prepared.count {
            throw .validation("Transaction request cannot include multiple operations on one item")
        }
        return PreparedTransaction(
            operations: prepared, token: token, principal: principal, urgency: urgency, completion: completion,
            bytes: prepared.reduce(0) { $0 + $1.bytes })
    }

    package func createTable(_ schema: TableSchema) throws(TableError) {
        try schema.validate()
        // Looked at before, too: who asks for what is there needs no disk that can be written.
        if catalog.all[schema.name] != nil { throw .tableExists(schema.name) }
        try writer.write { (connection) throws(TableError) in
            guard catalog.all[schema.name] == nil else { throw .tableExists(schema.name) }
            return try convertingErrors { () throws(SQLiteError) in
                let spaces = try StoreFile.takeSpaces(connection, count: 1 + schema.indexes.count)
                let definition = TableDefinition(
                    schema: schema, createdAt: time.wall(), space: spaces[0],
                    startSequence: try ChangeJournal.end(connection).sequence, indexSpaces: Array(spaces.dropFirst()))
                try StoreFile.add(connection, definition)
                return definition
            }
        } finish: { definition in
            catalog.replace(with: catalog.all.merging([definition.name: definition]) { _, new in new })
        }
    }

    package func deleteTable(_ name: String) throws(TableError) {
        try writer.write { (connection) throws(TableError) in
            try backups.end(try catalog.definition(name), connection)
        } finish: { _ in
            catalog.replace(with: catalog.all.filter { $0.key != name })
        }
        backups.tableEnded()
    }
}

// MARK: - TableChanges

extension SQLiteTableStore {
    package func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) { backups.store.subscribe(deliver) }

    package var lastSequence: Int64 { backups.store.lastSequence }

    package func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
        try backups.store.changes(after: sequence, limit: limit)
    }

    package func firstSequence() throws(TableError) -> Int64 { try backups.store.firstSequence() }

    package func attach(_ follower: FollowerProgress) { backups.store.attach(follower) }

    /// How everybody goes who follows the changes, by name.
    package var followers: [FollowerReport] { backups.store.retention.followers.map(\.report) }

    /// How much there is in the change stream. Blocks shortly.
    package func changeStream() throws(TableError) -> ChangeStreamStatistics {
        let first = try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try ChangeJournal.firstTime(connection) }
        }
        let retention = backups.store.retention
        let size = retention.size
        return ChangeStreamStatistics(
            changes: size.changes, bytes: size.bytes, bytesMax: limits.changeBytesMax, firstCommittedAt: first,
            neededChanges: max(0, size.last - max(size.first, retention.bound) + 1))
    }

    /// Delivers changes that other processes made to the file to the subscribers. Blocks; cheap when there are none.
    package func deliverForeignChanges() throws(TableError) { try writer.deliverForeignChanges() }

    /// Runs `body` on one state of the file.
    func snapshot<Result>(
        _ connection: DatabaseConnection, _ body: () throws(TableError) -> Result
    ) throws(TableError) -> Result {
        try connection.read(failing: TableError.init, body)
    }
}
