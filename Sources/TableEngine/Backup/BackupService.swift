import Dispatch
import DynamoModel
import Platform
import SQLite
import Synchronization

/// Makes and keeps the backups of a store, and makes tables from them.
final class BackupService: Sendable {
    /// The continuous backups.
    let archive: ContinuousArchive
    /// What is still to be done about tables that are no more.
    let former: FormerTables

    let store: OpenStore
    private let queue = DispatchQueue(label: "table.restore")
    private let underWay = Locked<[String: RestoreUnderWay]>([:])
    /// The restores that failed.
    let failures = RestoreFailures()
    private let replaced = Locked<[@Sendable (String) -> Void]>([])
    private let isCancelled = Atomic(false)

    /// A restore under way.
    private struct RestoreUnderWay {
        let description: TableDescription
        let origin: RestoreOrigin
    }

    private static let folder = "backups"
    private static let suffix = ".backup"
    /// When it is first looked for what has expired: nothing is too old before a store has been open for an hour.
    private static let firstExpirySeconds = 3700

    /// The backups of a store that nobody writes to yet; sweeps what earlier restores have left.
    init(_ store: OpenStore) throws(TableError) {
        self.store = store
        archive = try ContinuousArchive(store)
        former = FormerTables(store)
        former.settle()
        queue.async { [weak self] in self?.removeExpired() }
        expire(after: Self.firstExpirySeconds)
    }

    /// Ends what is under way, and closes the logs. Blocks.
    func close() {
        isCancelled.store(true, ordering: .releasing)
        queue.sync {}
        former.close()
        archive.close()
    }

    /// Calls `deliver` with the name of each table whose whole content was exchanged, after that is durable.
    func subscribe(_ deliver: @escaping @Sendable (String) -> Void) { replaced.withLock { $0.append(deliver) } }
}

// MARK: - Backups

extension BackupService {
    func create(
        of table: String, name: String, kind: BackupDescription.Kind, watch: WorkWatch
    ) throws(TableError) -> BackupDescription {
        _ = try store.catalog.definition(table)
        let id = Self.newID(at: store.clock())
        let (image, size) = try store.writeImage(
            of: table, to: Self.file(id), TableImage.Label(id: id, name: name, kind: kind), includesCompanions: true,
            watch: watch.orCancelled { [self] in isCancelled.load(ordering: .acquiring) })
        return image.backup(sizeBytes: size)
    }

    func list(_ filter: BackupFilter) throws(TableError) -> [ListedBackup] {
        var backups = Dictionary(
            try former.dueBackups().map { ($0.id, ListedBackup.creating($0)) }, uniquingKeysWith: { $1 })
        for id in try ids() where backups[id] == nil { backups[id] = try listed(id) }
        return backups.values.filter { $0.isOne(of: filter) }.sorted { $0.id.precedes($1.id) }
    }

    /// When the newest backup of a table was made that is whole, in milliseconds since 1970; nil when there is none.
    /// Reads the heads of those that are newer, which is none where one table is backed up.
    func newest(of table: String) throws(TableError) -> Int64? {
        var filter = BackupFilter()
        filter.table = table
        for id in try ids().reversed() {
            guard let backup = try listed(id), backup.isOne(of: filter) else { continue }
            // One that is damaged is none to go back to.
            if let made = backup.description { return made.createdAt }
        }
        return nil
    }

    /// The identifiers of the files of all backups, in their order. Other files in the folder are nobody's.
    func ids() throws(TableError) -> [String] { try Self.ids(store.vault) }

    /// The identifiers of the files of all backups in a vault.
    static func ids(_ vault: BackupVault) throws(TableError) -> [String] {
        try vault.files(in: folder).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
            .filter(isID)
    }

    func describe(_ id: String) throws(TableError) -> ListedBackup {
        if let backup = try former.dueBackups().first(where: { $0.id == id }) { return .creating(backup) }
        guard Self.isID(id), let backup = try listed(id) else { throw .backup(.notFound(id)) }
        return backup
    }

    func delete(_ id: String) throws(TableError) -> ListedBackup {
        if let backup = try former.giveUpBackup(id) { return .creating(backup) }
        let backup = try describe(id)
        guard try store.vault.remove(Self.file(id)) else { throw .backup(.notFound(id)) }
        return backup
    }

    /// The backup in the file of an identifier, whatever state it is in; nil when there is no file.
    private func listed(_ id: String) throws(TableError) -> ListedBackup? {
        let name = Self.file(id)
        var sizeBytes = 0
        do throws(TableError) {
            guard let file = try store.vault.open(name) else { return nil }
            sizeBytes = try file.size()
            let reader = try ImageReader(file)
            return .available(reader.image.backup(id, sizeBytes: reader.sizeBytes))
        } catch {
            let createdAt = Int64(id.prefix { $0 != "-" }) ?? 0
            return .damaged(
                DamagedBackup(
                    id: id, createdAt: createdAt, sizeBytes: Int64(sizeBytes), reason: error.description))
        }
    }

    /// The file of a backup.
    private func open(_ id: String) throws(TableError) -> StoredFile {
        // What is no identifier could be the path of something else.
        guard Self.isID(id) else { throw .backup(.notFound(id)) }
        if let file = try store.vault.open(Self.file(id)) { return file }
        guard try former.dueBackups().contains(where: { $0.id == id }) else { throw .backup(.notFound(id)) }
        former.makeBackups()
        guard let file = try store.vault.open(Self.file(id)) else {
            throw former.trouble.current ?? .backup(.notFound(id))
        }
        return file
    }

    private static func isID(_ text: String) -> Bool {
        text.utf8.count == 23
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    /// An identifier that no other backup has.
    static func newID(at time: Int64) -> String {
        let milliseconds = String(max(0, time))
        let tail = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: max(0, 14 - milliseconds.utf8.count)) + milliseconds + "-"
            + String(repeating: "0", count: 8 - tail.utf8.count) + tail
    }

    /// The name of a backup's file in the vault.
    static func file(_ id: String) -> String { "\(folder)/\(id)\(suffix)" }
}

// MARK: - Restores

extension BackupService {
    /// What a restore needs to know, beside where the content comes from.
    struct Request {
        let target: String
        let replaces: Bool
        let adjust: SchemaAdjustment
        /// Whoever asked for it.
        let watch: WorkWatch
        let completion: @Sendable (Result<TableDescription, TableError>) -> Void
    }

    func restore(backup id: String, _ request: Request) throws(TableError) -> TableDescription {
        try restore(image: try open(id), request)
    }

    func restore(file path: String, _ request: Request) throws(TableError) -> TableDescription {
        try restore(image: try StoredFile.open(path), request)
    }

    private func restore(image file: StoredFile, _ request: Request) throws(TableError) -> TableDescription {
        let image = try ImageReader(file).image
        for (name, value) in image.settings {
            if let here = try store.setting(name), here != value {
                throw .backup(.otherSetting(name: name, ofBackup: value, ofStore: here))
            }
        }
        return try restore(
            RestoreSource(image: file, settings: image.settings), image.definition.schema,
            RestoreOrigin(backup: image.label.id, table: image.definition.name, time: image.createdAt), request)
    }

    func restore(table: String, at point: RestorePoint, _ request: Request) throws(TableError) -> TableDescription {
        let (source, schema, time) = try source(of: table, at: point)
        return try restore(source, schema, RestoreOrigin(backup: nil, table: table, time: time), request)
    }

    /// What a table was at a time: the one of the name that there is, else one that was replaced or deleted.
    private func source(
        of table: String, at point: RestorePoint
    ) throws(TableError) -> (source: RestoreSource, schema: TableSchema, time: Int64) {
        do throws(TableError) {
            let schema = try store.catalog.definition(table).schema
            let (source, time) = try archive.source(of: table, at: point)
            return (source, schema, time)
        } catch {
            switch (error, point) {
            // The latest of a table that is there is its own.
            case (.tableNotFound, _), (.backup(.pointInTimeUnavailable), .time), (.backup(.invalidRestoreTime), .time):
                guard let ended = try archive.endedSource(of: table, at: point) else { throw error }
                return ended
            default: throw error
            }
        }
    }

    var restoring: [String: TableDescription] { underWay.withLock { $0.mapValues(\.description) } }

    func summary(_ table: String) throws(TableError) -> RestoreSummary? {
        if let origin = underWay.withLock({ $0[table]?.origin }) { return origin.summary(isInProgress: true) }
        return try store.setting(TableSetting.origin.name(table)).flatMap(RestoreOrigin.init(text:))?
            .summary(isInProgress: false)
    }

    private func restore(
        _ source: RestoreSource, _ schema: TableSchema, _ origin: RestoreOrigin, _ request: Request
    ) throws(TableError) -> TableDescription {
        var schema = try request.adjust(schema).named(request.target)
        // As in DynamoDB: a table that somebody has just restored can be deleted again.
        if !request.replaces { schema.isProtected = false }
        try schema.validate()
        try take(request.target, TableDescription(schema: schema, createdAt: store.clock()), origin)
        var filled: [TableDefinition] = []
        do throws(TableError) {
            let definition = try Restoration.prepare(schema, replacing: request.replaces, store)
            filled.append(definition)
            let companions = try RestoredCompanions(of: source.image, beside: request.target, store)
            let restoration = Restoration(
                store: store, source: source, target: definition, replaces: request.replaces, companions: companions,
                watch: request.watch.orCancelled { [self] in isCancelled.load(ordering: .acquiring) })
            queue.async { [self] in request.completion(run(restoration, origin, request)) }
            return store.describe(definition, content: TableStatistics(definition))
        } catch {
            leave(request.target, filled)
            throw error
        }
    }

    private func run(
        _ restoration: Restoration, _ origin: RestoreOrigin, _ request: Request
    ) -> Result<TableDescription, TableError> {
        let name = restoration.target.name
        do throws(TableError) {
            let content = try restoration.load()
            try restoration.finish(origin, content)
            leave(name, restoration.filled)
            for deliver in replaced.withLock({ $0 }) { deliver(name) }
            tableEnded()
            return .success(store.describe(restoration.target, content: content))
        } catch {
            leave(name, restoration.filled)
            if !request.watch.isCancelled() {
                failures.note(RestoreFailure(table: name, source: origin.table, error: error))
            }
            // What was read of a log was not what was written: whatever else is damaged of it should be known.
            if origin.backup == nil, case .backup(.damaged) = error { archive.examine() }
            former.settle()
            return .failure(error)
        }
    }

    private func take(
        _ name: String, _ description: TableDescription, _ origin: RestoreOrigin
    ) throws(TableError) {
        let isTaken = underWay.withLock { underWay in
            defer {
                if underWay[name] == nil { underWay[name] = RestoreUnderWay(description: description, origin: origin) }
            }
            return underWay[name] != nil
        }
        if isTaken { throw .backup(.restoreInProgress(table: name)) }
        failures.forget(name)
    }

    private func leave(_ name: String, _ filled: [TableDefinition]) {
        for definition in filled { store.filling.remove(definition) }
        underWay.withLock { $0[name] = nil }
    }
}

// MARK: - Tables that are no more

extension BackupService {
    /// Ends a table that is deleted, in the writer's transaction. When it could be restored to points in time, a backup
    /// of it is made.
    func end(_ definition: TableDefinition, _ connection: DatabaseConnection) throws(TableError) {
        let isContinuous = try convertingErrors { () throws(SQLiteError) in
            try StoreFile.setting(connection, TableSetting.continuous.name(definition.name)) != nil
        }
        try FormerTable.end(
            definition, backup: isContinuous ? "\(definition.name)$DeletedTableBackup" : nil, connection, store)
    }

    /// Told when a table has ended: waits until its backup is made, if it is to have one; the rest is done beside.
    func tableEnded() {
        archive.wake()
        former.makeBackups()
        former.settle()
    }

    /// Waits for what is under way on the queue of restores, and for the removal of leftovers.
    func waitForSweep() {
        queue.sync {}
        former.waitUntilSettled()
    }

    private func expire(after seconds: Int) {
        queue.asyncAfter(deadline: .now() + .seconds(seconds)) { [weak self] in
            guard let self, !isCancelled.load(ordering: .acquiring) else { return }
            removeExpired()
            expire(after: 24 * 3600)
        }
    }

    /// Removes the backups that the engine has made itself and nobody has wanted, and logs that have ended, when they
    /// are 35 days old. What cannot be removed keeps nothing else from it, and is tried again tomorrow.
    func removeExpired() {
        store.vault.discardOldDrafts(in: [Self.folder, "restore"])
        guard let now = store.time.timeForForgetting else { return }
        var filter = BackupFilter()
        filter.kind = .system
        for case .available(let backup) in (try? list(filter)) ?? [] {
            if let expiresAt = backup.expiresAt, expiresAt <= now {
                _ = try? store.vault.remove(Self.file(backup.id))
            }
        }
        try? former.removeExpired(now)
        try? archive.removeOldLives(now)
    }
}

extension TableSchema {
    /// The same table under another name.
    func named(_ name: String) -> TableSchema {
        var item = item
        item["name"] = .string(name)
        return TableSchema(item: item) ?? self
    }
}
