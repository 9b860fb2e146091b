import Dispatch
import Lock
import SQLite
import Synchronization

/// Makes and keeps the backups of a store, and makes tables from them.
final class BackupService: Sendable {
    /// The continuous backups.
    let archive: ContinuousArchive

    let parts: StoreParts
    private let queue = DispatchQueue(label: "table.restore")
    private let underWay = Locked<[String: RestoreUnderWay]>([:])
    private let replaced = Locked<[@Sendable (String) -> Void]>([])
    private let isCancelled = Atomic(false)

    /// A restore under way.
    private struct RestoreUnderWay {
        let description: TableDescription
        let origin: RestoreOrigin
    }

    private static let folder = "backups"
    private static let suffix = ".backup"
    /// How many rows of a leftover one transaction removes.
    private static let sweepRows = 5000

    /// The backups of a store that nobody writes to yet; sweeps what earlier restores have left.
    init(_ parts: StoreParts) throws(TableError) {
        self.parts = parts
        archive = try ContinuousArchive(parts)
        // Weak: the archive holds the writer, and both would keep each other.
        parts.writer.subscribe { [weak archive] _ in archive?.wake() }
        scheduleSweep()
        expireDaily()
    }

    /// Ends what is under way, and closes the logs. Blocks.
    func close() {
        isCancelled.store(true, ordering: .releasing)
        queue.sync {}
        archive.close()
    }

    /// Calls `deliver` with the name of each table whose whole content was exchanged, after that is durable.
    func subscribe(_ deliver: @escaping @Sendable (String) -> Void) { replaced.withLock { $0.append(deliver) } }
}

// MARK: - Backups

extension BackupService {
    func create(of table: String, name: String, kind: BackupDescription.Kind) throws(TableError) -> BackupDescription {
        _ = try parts.catalog.definition(table)
        let id = Self.newID(at: parts.clock())
        let (image, size) = try parts.writeImage(
            of: table, to: Self.file(id), TableImage.Label(id: id, name: name, kind: kind),
            isCancelled: { isCancelled.load(ordering: .acquiring) })
        return image.backup(sizeBytes: size)
    }

    func list(_ filter: BackupFilter) throws(TableError) -> [BackupDescription] {
        var backups: [BackupDescription] = []
        for name in try files() {
            // One may be deleted while the list is made.
            guard let file = try parts.vault.open(name) else { continue }
            let reader = try ImageReader(file)
            let backup = reader.image.backup(sizeBytes: reader.sizeBytes)
            if filter.takes(backup) { backups.append(backup) }
        }
        return backups
    }

    /// The names of the files of all backups, in their order.
    func files() throws(TableError) -> [String] {
        try parts.vault.files(in: Self.folder).filter { $0.hasSuffix(Self.suffix) }.map { "\(Self.folder)/\($0)" }
    }

    func describe(_ id: String) throws(TableError) -> BackupDescription {
        let reader = try ImageReader(try open(id))
        return reader.image.backup(sizeBytes: reader.sizeBytes)
    }

    func delete(_ id: String) throws(TableError) -> BackupDescription {
        let backup = try describe(id)
        guard try parts.vault.remove(Self.file(id)) else { throw .backup(.notFound(id)) }
        return backup
    }

    /// Makes a backup of a table that is about to be deleted, if it can be restored to points in time: that ends with
    /// it.
    func keepBeforeDeletion(_ table: String) throws(TableError) {
        guard try archive.isOn(table) else { return }
        _ = try create(of: table, name: "\(table)$DeletedTableBackup", kind: .system)
    }

    /// The file of a backup.
    private func open(_ id: String) throws(TableError) -> StoredFile {
        // What is no identifier could be the path of something else.
        guard Self.isID(id), let file = try parts.vault.open(Self.file(id)) else { throw .backup(.notFound(id)) }
        return file
    }

    private static func isID(_ text: String) -> Bool {
        text.utf8.count == 23
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    private static func newID(at time: Int64) -> String {
        let milliseconds = String(max(0, time))
        let tail = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: max(0, 14 - milliseconds.utf8.count)) + milliseconds + "-"
            + String(repeating: "0", count: 8 - tail.utf8.count) + tail
    }

    private static func file(_ id: String) -> String { "\(folder)/\(id)\(suffix)" }
}

// MARK: - Restores

extension BackupService {
    /// What a restore needs to know, beside where the content comes from.
    struct Request {
        let target: String
        let replaces: Bool
        let adjust: SchemaAdjustment
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
        return try restore(
            RestoreSource(image: file), image.definition.schema,
            RestoreOrigin(backup: image.label.id, table: image.definition.name, time: image.createdAt), request)
    }

    func restore(table: String, at point: RestorePoint, _ request: Request) throws(TableError) -> TableDescription {
        let schema = try parts.catalog.definition(table).schema
        let (source, time) = try archive.source(of: table, at: point)
        return try restore(source, schema, RestoreOrigin(backup: nil, table: table, time: time), request)
    }

    var restoring: [String: TableDescription] { underWay.withLock { $0.mapValues(\.description) } }

    func summary(_ table: String) throws(TableError) -> RestoreSummary? {
        if let origin = underWay.withLock({ $0[table]?.origin }) { return origin.summary(isInProgress: true) }
        return try parts.setting(RestoreOrigin.setting(table)).flatMap(RestoreOrigin.init(text:))?
            .summary(isInProgress: false)
    }

    private func restore(
        _ source: RestoreSource, _ schema: TableSchema, _ origin: RestoreOrigin, _ request: Request
    ) throws(TableError) -> TableDescription {
        var schema = try request.adjust(schema).named(request.target)
        // As in DynamoDB: a table that somebody has just restored can be deleted again.
        if !request.replaces { schema.isProtected = false }
        try schema.validate()
        try take(request.target, TableDescription(schema: schema, createdAt: parts.clock()), origin)
        do throws(TableError) {
            let definition = try Restoration.prepare(schema, replacing: request.replaces, parts)
            let restoration = Restoration(
                parts: parts, source: source, target: definition, replaces: request.replaces,
                isCancelled: { [self] in isCancelled.load(ordering: .acquiring) })
            queue.async { [self, completion = request.completion] in
                completion(run(restoration, origin))
            }
            return parts.describe(definition, content: TableStatistics(definition))
        } catch {
            leave(request.target)
            throw error
        }
    }

    private func run(_ restoration: Restoration, _ origin: RestoreOrigin) -> Result<TableDescription, TableError> {
        let name = restoration.target.name
        do throws(TableError) {
            let content = try restoration.load()
            if restoration.replaces, parts.catalog.all[name] != nil {
                _ = try create(of: name, name: "\(name)$ReplacedTableBackup", kind: .system)
            }
            try restoration.finish(origin, content)
            leave(name)
            archive.wake()
            for deliver in replaced.withLock({ $0 }) { deliver(name) }
            if restoration.replaces { scheduleSweep() }
            return .success(parts.describe(restoration.target, content: content))
        } catch {
            leave(name)
            scheduleSweep()
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
    }

    private func leave(_ name: String) { underWay.withLock { $0[name] = nil } }
}

// MARK: - Leftovers

extension BackupService {
    /// Waits for what is under way on the queue of restores.
    func waitForSweep() { queue.sync {} }

    /// Sweeps leftovers when no restore is under way any more: their spaces are noted as leftovers, too.
    private func scheduleSweep() {
        queue.async { [self] in
            // What fails now is tried again after the next restore, or when the store is opened.
            try? sweep()
            try? removeExpired()
        }
    }

    private func expireDaily() {
        queue.asyncAfter(deadline: .now() + .seconds(24 * 3600)) { [weak self] in
            guard let self, !isCancelled.load(ordering: .acquiring) else { return }
            // What fails now is tried again tomorrow.
            try? removeExpired()
            expireDaily()
        }
    }

    /// Removes the backups that the engine has made itself and nobody has wanted, and logs that have ended, when they
    /// are 35 days old.
    func removeExpired() throws(TableError) {
        parts.vault.discardOldDrafts(in: [Self.folder, "restore"])
        var filter = BackupFilter()
        filter.kind = .system
        for backup in try list(filter) where backup.expiresAt.map({ $0 <= parts.clock() }) ?? false {
            try parts.vault.remove(Self.file(backup.id))
        }
        try archive.removeOldLives()
    }

    private func sweep() throws(TableError) {
        guard underWay.withLock({ $0.isEmpty }) else { return }
        let spaces = try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try LeftoverSpaces.all(connection) }
        }
        for space in spaces {
            var isEmpty = false
            while !isEmpty {
                if isCancelled.load(ordering: .acquiring) { return }
                try parts.writer.write { (connection) throws(TableError) in
                    try convertingErrors { () throws(SQLiteError) in
                        try LeftoverSpaces.sweep(space, Self.sweepRows, connection)
                    }
                } finish: {
                    isEmpty = $0
                }
            }
        }
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
