import DynamoModel
import SQLite

/// Checks one state of the file against itself, and against the logs of continuous backups.
struct StoreVerification {
    private let connection: DatabaseConnection
    private let seal: ItemSeal
    private let definitions: [TableDefinition]
    private let leftovers: Set<UInt32>
    private var streams: [String: ExpectedItems] = [:]
    private var logs: [String: LoggedItems]
    /// What was found.
    private(set) var report: VerificationReport

    /// What the continuous backups of a table say that it holds.
    struct LoggedItems {
        /// The life that the log is of.
        let life: String
        /// The last change that is in the log.
        let position: Int64
        var items: ExpectedItems
    }

    /// - Parameters:
    ///   - connection: one inside a read transaction.
    ///   - seal: by which encrypted items are read.
    ///   - logs: what the logs say that the tables held before that.
    ///   - report: what was found so far.
    init(
        _ connection: DatabaseConnection, _ seal: ItemSeal, logs: [String: LoggedItems], report: VerificationReport
    ) throws(TableError) {
        self.connection = connection
        self.seal = seal
        self.report = report
        self.report.subject = connection.path
        // Of the file, not of this process: another one may have made tables since.
        let definitions = try StoreFile.definitions(connection)
        self.definitions = Array(definitions.values)
        let (leftovers, lives) = try convertingErrors { () throws(SQLiteError) in
            (Set(try LeftoverSpaces.all(connection)), try ContinuousArchive.lives(connection))
        }
        self.leftovers = leftovers
        // A log may have begun or ended since.
        self.logs = logs.filter { definitions[$0.key] != nil && lives[$0.key] == $0.value.life }
    }

    /// Checks every page, change, item and entry. O(file).
    mutating func run() throws(TableError) {
        try convertingErrors { () throws(SQLiteError) in
            for problem in try connection.integrityProblems() { report.note(problem) }
            for setting in try FormerTable.unreadable(connection) {
                report.note("what is still to be done about a table that has ended cannot be read: setting \(setting)")
            }
            try verifyStream()
            let expected = try verifyItems()
            try verifyEntries(expected: expected)
        }
        try verifyStatistics()
        for definition in definitions {
            let name = definition.name
            for expectation in [streams[name], logs[name]?.items].compactMap(\.self) where expectation.missing > 0 {
                report.note("\(expectation.missing) items of \(name) are missing that \(expectation.source) tells of")
            }
        }
    }
}

// MARK: - The change stream

extension StoreVerification {
    /// Checks that changes follow one another, each beginning with what the one before has made of the item.
    private mutating func verifyStream() throws(SQLiteError) {
        let tables = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let changes = try connection.statement(
            "SELECT sequence, committed_at, name, old, new, principal FROM change ORDER BY sequence")
        defer { changes.reset() }
        // Times run on from one jump of the clock to the next: over a jump they may run backwards.
        let jumps = Set(try ClockHistory(connection).jumps.map(\.after))
        var last: (sequence: Int64, committedAt: Int64)?
        while try changes.step() {
            report.changes += 1
            let (sequence, committedAt) = (changes.int64(0), changes.int64(1))
            if let last, sequence != last.sequence + 1 {
                report.note("the changes between \(last.sequence) and \(sequence) are missing from the stream")
            }
            if let last, committedAt < last.committedAt, !jumps.contains(last.sequence) {
                report.note("the change \(sequence) was committed before the one that precedes it")
            }
            last = (sequence, committedAt)
            if let definition = tables[changes.text(2)], sequence > definition.startSequence {
                take(changes, sequence, definition)
            }
        }
    }

    private mutating func take(_ change: Statement, _ sequence: Int64, _ definition: TableDefinition) {
        let name = definition.name
        guard let images = try? ChangeJournal.images(change, record: 5, old: 3, new: 4, seal),
            let item = try? ItemCodec.decode(images.new ?? images.old ?? []), let key = definition.key(of: item)
        else {
            report.note("the change \(sequence) of \(name) cannot be read")
            return
        }
        let keyBytes = definition.keyBytes(key).dropFirst(definition.prefix.count)
        let isLogged = logs[name].map { $0.position >= sequence } ?? true
        let isRight = keyBytes.withUnsafeBytes { key in
            if !isLogged { images.withNew { logs[name]?.items.set(key, $0) } }
            var stream = streams[name] ?? ExpectedItems(source: "the change stream", isComplete: false)
            defer { streams[name] = stream }
            streams[name] = nil
            let isRight = (images.old ?? []).withUnsafeBytes { stream.agrees(key, images.old == nil ? nil : $0) }
            images.withNew { stream.set(key, $0) }
            return isRight
        }
        if !isRight {
            report.note(
                "the change \(sequence) of \(definition.name) begins with another item than the one before left")
        }
    }
}

// MARK: - Items and entries

extension StoreVerification {
    /// Checks each item, looks for its entries, and compares it with what stream and logs say.
    ///
    /// - Returns: how many entries there should be.
    private mutating func verifyItems() throws(SQLiteError) -> Int {
        let tables = Dictionary(definitions.map { ($0.space, $0) }, uniquingKeysWith: { $1 })
        let items = try connection.statement("SELECT id, key, content FROM item ORDER BY id")
        defer { items.reset() }
        var expected = 0
        while try items.step() {
            let row = items.int64(0)
            let key = [UInt8](items.blob(1))
            guard let space = KeyEncoding.space(of: key) else {
                report.note("item \(row) has no key")
                continue
            }
            if leftovers.contains(space) { continue }
            report.items += 1
            guard let definition = tables[space] else {
                report.note("item \(row) belongs to no table")
                continue
            }
            expected += try verify(row, key, items.blob(2), definition)
        }
        return expected
    }

    private mutating func verify(
        _ row: Int64, _ key: [UInt8], _ stored: UnsafeRawBufferPointer, _ definition: TableDefinition
    ) throws(SQLiteError) -> Int {
        let name = definition.name
        guard let content = try? seal.open(stored, at: key), let item = try? ItemCodec.decode(content) else {
            report.note("item \(row) of \(name) cannot be read")
            return 0
        }
        guard definition.key(of: item).map(definition.keyBytes) == key else {
            report.note("item \(row) of \(name) is stored under another key than its own")
            return 0
        }
        withUnsafeBytes(of: Array(key.dropFirst(definition.prefix.count)), content) { tableKey, content in
            if streams[name]?.find(tableKey, content) == false {
                report.note("item \(row) of \(name) is not what its last change in the stream has made of it")
            }
            if logs[name]?.items.find(tableKey, content) == false {
                report.note("item \(row) of \(name) is not what the log of its continuous backups says")
            }
        }
        var expected = 0
        for index in definition.indexes {
            guard let entry = index.entry(of: item, tableKey: key) else { continue }
            expected += 1
            if try self.row(entry) != row { report.note("item \(row) of \(name) has no entry in \(index.schema.name)") }
        }
        return expected
    }

    /// The row that an entry names, nil when there is no such entry.
    private func row(_ entry: [UInt8]) throws(SQLiteError) -> Int64? {
        let select = try connection.statement("SELECT item FROM entry WHERE key = ?1")
        try select.bind(entry, at: 1)
        defer { select.reset() }
        return try select.step() ? select.int64(0) : nil
    }

    /// Every expected entry was found, so that a different number means entries that no item has.
    private mutating func verifyEntries(expected: Int) throws(SQLiteError) {
        var entries = try count("SELECT count(*) FROM entry")
        for space in leftovers {
            let range = KeyRange(prefix: TableDefinition.prefix(space))
            let count = try connection.statement("SELECT count(*) FROM entry WHERE key >= ?1 AND key < ?2")
            try count.bind(range.lower, at: 1)
            try count.bind(range.upper, at: 2)
            defer { count.reset() }
            if try count.step() { entries -= Int(count.int64(0)) }
        }
        report.entries = entries
        if entries != expected {
            report.note("the indexes have \(entries) entries, and the items account for \(expected)")
        }
    }

    private func count(_ sql: StaticString) throws(SQLiteError) -> Int {
        let count = try connection.statement(sql)
        defer { count.reset() }
        return try count.step() ? Int(count.int64(0)) : 0
    }

    /// Checks what the file says of the number and the size of items.
    private mutating func verifyStatistics() throws(TableError) {
        for definition in definitions {
            try report.notingDamage { (report) throws(TableError) in
                let stored = try TableStatistics.read(connection, definition, seal)
                let counted = try TableStatistics.counted(connection, definition, seal)
                if stored != counted {
                    report.note(
                        "\(definition.name) is said to have \(stored.table.items) items of \(stored.table.bytes) bytes,"
                            + " and has \(counted.table.items) of \(counted.table.bytes)")
                }
            }
        }
    }
}

extension ChangeJournal.Images {
    /// Gives the item afterwards.
    fileprivate func withNew(_ body: (UnsafeRawBufferPointer?) -> Void) {
        guard let new else { return body(nil) }
        new.withUnsafeBytes { body($0) }
    }
}

private func withUnsafeBytes(
    of one: [UInt8], _ other: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
) {
    one.withUnsafeBytes { one in other.withUnsafeBytes { body(one, $0) } }
}
