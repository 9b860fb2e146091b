import Bytes
import DynamoModel
import SQLite

/// A table that is no more, because it was replaced or deleted, and what is still to be done about it.
///
/// The transaction that ends the table notes this in a setting. Its items stay in their space, where nobody changes
/// them any more: so whatever is made of them afterwards, at leisure, has every write that was answered before the end.
struct FormerTable: Sendable {
    /// The table as it was at its end; the label is that of its backup.
    let image: TableImage
    /// Whether the backup must still be made of the items.
    var isBackupDue: Bool
    /// The life of the continuous backups that ended with it; nil when there was none, or it is kept no longer.
    var life: String?
    /// Whether the log of that life has every change.
    var isLogComplete: Bool
    /// How many days the life is kept.
    let recoveryPeriodDays: Int
    /// Up to here the changes of the table have been let go from the stream.
    var releasedSequence: Int64

    /// The table's name.
    var name: String { image.definition.name }
    /// When it was replaced or deleted, in milliseconds since 1970.
    var endedAt: Int64 { image.createdAt }
    /// Until when its continuous backups are kept, in milliseconds since 1970.
    var lifeExpiresAt: Int64 { endedAt + Int64(recoveryPeriodDays) * 24 * 3600 * 1000 }
    /// Whether all of its changes have been let go.
    var isReleased: Bool { releasedSequence >= image.sequence }
    /// Whether nothing is left to be done: then nobody needs to know that it was there.
    var isSettled: Bool { !isBackupDue && life == nil && isReleased }
}

// MARK: - In the file

extension FormerTable {
    private static let prefix = "store.former."

    private var setting: String { Self.prefix + String(image.definition.space) }

    /// Ends a table within the writer's transaction: it is no table any more, and its spaces are leftovers.
    ///
    /// - Parameters:
    ///   - definition: the table.
    ///   - backup: the name of the backup that is to be made of it; nil for none.
    ///   - connection: the writer's.
    ///   - parts: the store.
    static func end(
        _ definition: TableDefinition, backup name: String?, _ connection: DatabaseConnection, _ store: OpenStore
    ) throws(TableError) {
        let content = try TableStatistics.read(connection, definition, store.seal).table
        let settings = try store.settings(of: definition.name, connection)
        try convertingErrors { () throws(SQLiteError) in
            let last = try ChangeJournal.end(connection)
            let now = store.clock()
            let life = try StoreFile.setting(connection, TableSetting.continuous.name(definition.name))
            let period = try StoreFile.setting(connection, TableSetting.recoveryPeriod.name(definition.name))
            let former = FormerTable(
                image: TableImage(
                    label: TableImage.Label(id: BackupService.newID(at: now), name: name ?? "", kind: .system),
                    createdAt: now, definition: definition, tableID: definition.id(in: store.originID),
                    sequence: last.sequence, committedAt: last.committedAt, itemCount: Int(content.items),
                    itemBytes: content.bytes, settings: settings),
                isBackupDue: name != nil, life: life, isLogComplete: false,
                recoveryPeriodDays: period.flatMap { Int($0) } ?? ContinuousBackups.recoveryPeriodDaysMax,
                releasedSequence: definition.startSequence)
            try StoreFile.forget(connection, definition)
            try TableStatistics.forget(connection, definition)
            try LeftoverSpaces.note(definition, connection)
            try former.store(connection)
        }
    }

    /// All of them, the one that ended first at the beginning.
    static func all(_ connection: DatabaseConnection) throws(SQLiteError) -> [FormerTable] {
        try StoreFile.settings(connection, prefix: prefix).compactMap { FormerTable(text: $0.value) }
            .sorted { ($0.image.sequence, $0.image.definition.space) < ($1.image.sequence, $1.image.definition.space) }
    }

    /// All of them.
    static func all(_ store: OpenStore) throws(TableError) -> [FormerTable] {
        try store.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try all(connection) }
        }
    }

    /// What is noted of former tables and cannot be read, by the names of the settings.
    static func unreadable(_ connection: DatabaseConnection) throws(SQLiteError) -> [String] {
        try StoreFile.settings(connection, prefix: prefix).filter { FormerTable(text: $0.value) == nil }.map(\.name)
    }

    /// The spaces whose items a backup is still to be made of.
    static func neededSpaces(_ connection: DatabaseConnection) throws(SQLiteError) -> Set<UInt32> {
        var spaces: Set<UInt32> = []
        for (name, value) in try StoreFile.settings(connection, prefix: prefix) {
            // Where it cannot be read what is to be done, nothing is thrown away.
            guard let former = FormerTable(text: value) else {
                if let space = UInt32(name.dropFirst(prefix.utf8.count)) { spaces.insert(space) }
                continue
            }
            if former.isBackupDue { spaces.formUnion(former.image.definition.spaces) }
        }
        return spaces
    }

    /// Notes that something was done about a table; it is forgotten when that was all. Blocks until it is durable.
    ///
    /// - Parameter change: changes what there is to be done, as it is noted by then, within the transaction.
    /// - Returns: the table as it was noted before; nil when nothing was.
    @discardableResult
    func update(
        _ store: OpenStore, _ change: (inout FormerTable, DatabaseConnection) throws(SQLiteError) -> Void
    ) throws(TableError) -> FormerTable? {
        var before: FormerTable?
        try store.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                guard let noted = try StoreFile.setting(connection, setting).flatMap(FormerTable.init(text:)) else {
                    return FormerTable?.none
                }
                var changed = noted
                try change(&changed, connection)
                try changed.store(connection)
                return noted
            }
        } finish: {
            before = $0
        }
        return before
    }

    /// Notes what is to be done, or forgets the table when that is nothing.
    func store(_ connection: DatabaseConnection) throws(SQLiteError) {
        if isSettled { return try StoreFile.removeSetting(connection, setting) }
        try StoreFile.set(connection, setting, to: text)
    }

    private var text: String {
        let item: Item = [
            "image": .map(image.item), "isBackupDue": .bool(isBackupDue), "life": life.map { .string($0) } ?? .null,
            "isLogComplete": .bool(isLogComplete), "recoveryPeriodDays": .number(Int64(recoveryPeriodDays)),
            "releasedSequence": .number(releasedSequence),
        ]
        return String(decoding: BinaryText.encode(ItemCodec.encode(item)), as: UTF8.self)
    }

    private init?(text: String) {
        var text = text
        guard let bytes = text.withUTF8({ try? BinaryText.decode(UnsafeRawBufferPointer($0)) }),
            let item = bytes.withUnsafeBytes({ try? ItemCodec.decode($0) }),
            let image = item["image"]?.mapValue.flatMap(TableImage.init(item:)),
            let isBackupDue = item["isBackupDue"]?.boolValue, let isLogComplete = item["isLogComplete"]?.boolValue,
            let days = item["recoveryPeriodDays"]?.int64Value.flatMap({ Int(exactly: $0) }),
            (1...ContinuousBackups.recoveryPeriodDaysMax).contains(days),
            let released = item["releasedSequence"]?.int64Value
        else { return nil }
        self.init(
            image: image, isBackupDue: isBackupDue, life: item["life"]?.stringValue, isLogComplete: isLogComplete,
            recoveryPeriodDays: days, releasedSequence: released)
    }
}
