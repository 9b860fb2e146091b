import SQLite

/// What a verification has found.
package struct VerificationReport: Sendable, Equatable {
    /// How many items there are.
    package var items = 0
    /// How many index entries there are.
    package var entries = 0
    /// What is wrong, at most 100 of it; nothing when all is in order.
    package var problems: [String] = []

    /// Notes a problem, unless there are enough.
    fileprivate mutating func note(_ problem: @autoclosure () -> String) {
        if problems.count < 100 { problems.append(problem()) }
    }
}

extension SQLiteTableStore {
    /// Checks the whole file on one state of it: every page, every item, every index entry against its item and every
    /// item against its entries. Blocks; O(file). Writing goes on meanwhile.
    package func verify() throws(TableError) -> VerificationReport {
        try readers.read { (connection) throws(TableError) in
            try snapshot(connection) { () throws(TableError) in
                var report = VerificationReport()
                try convertingErrors { () throws(SQLiteError) in
                    for problem in try connection.integrityProblems() { report.note(problem) }
                }
                // Of the file, not of this process: another one may have made tables since.
                let definitions = try StoreFile.definitions(connection)
                try convertingErrors { () throws(SQLiteError) in
                    let expected = try verifyItems(connection, Array(definitions.values), &report)
                    try verifyEntries(connection, expected: expected, &report)
                }
                return report
            }
        }
    }

    /// Checks each item and looks for its entries.
    ///
    /// - Returns: how many entries there should be.
    private func verifyItems(
        _ connection: Connection, _ definitions: [TableDefinition], _ report: inout VerificationReport
    ) throws(SQLiteError) -> Int {
        let prefixes = definitions.map { ($0.prefix, $0) }
        let items = try connection.statement("SELECT id, key, content FROM item ORDER BY id")
        defer { items.reset() }
        var expected = 0
        while try items.step() {
            report.items += 1
            let row = items.int64(0)
            let key = [UInt8](items.blob(1))
            guard let definition = prefixes.first(where: { key.starts(with: $0.0) })?.1 else {
                report.note("item \(row) belongs to no table")
                continue
            }
            guard let item = try? ItemCodec.decode(items.blob(2)) else {
                report.note("item \(row) of \(definition.name) cannot be read")
                continue
            }
            guard definition.key(of: item).map(definition.keyBytes) == key else {
                report.note("item \(row) of \(definition.name) is stored under another key than its own")
                continue
            }
            for index in definition.indexes {
                guard let entry = index.entry(of: item, tableKey: key) else { continue }
                expected += 1
                if try self.row(connection, entry) != row {
                    report.note("item \(row) of \(definition.name) has no entry in \(index.schema.name)")
                }
            }
        }
        return expected
    }

    /// The row that an entry names, nil when there is no such entry.
    private func row(_ connection: Connection, _ entry: [UInt8]) throws(SQLiteError) -> Int64? {
        let select = try connection.statement("SELECT item FROM entry WHERE key = ?1")
        try select.bind(entry, at: 1)
        defer { select.reset() }
        return try select.step() ? select.int64(0) : nil
    }

    /// Every expected entry was found, so that a different number means entries that no item has.
    private func verifyEntries(
        _ connection: Connection, expected: Int, _ report: inout VerificationReport
    ) throws(SQLiteError) {
        let count = try connection.statement("SELECT count(*) FROM entry")
        defer { count.reset() }
        let entries = try count.step() ? Int(count.int64(0)) : 0
        report.entries = entries
        if entries != expected {
            report.note("the indexes have \(entries) entries, and the items account for \(expected)")
        }
    }
}
