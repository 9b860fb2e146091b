import Glibc
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// The tables that most tests use.
enum TestTable {
    static let name = "things"

    /// Keys of strings; an index by number, one by owner with keys only, one that includes an attribute.
    static let schema = TableSchema(
        name: name, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"),
        indexes: [
            IndexSchema("by-rank", partitionKey: KeyAttribute("group"), sortKey: KeyAttribute("rank", .number)),
            IndexSchema("by-owner", partitionKey: KeyAttribute("owner"), projection: .keysOnly),
            IndexSchema(
                "by-tag", partitionKey: KeyAttribute("tag"), sortKey: KeyAttribute("SK"), projection: .include(["note"])
            ),
        ])

    static func key(_ partition: String, _ sort: String) -> TableKey { TableKey(.string(partition), .string(sort)) }

    static func item(_ partition: String, _ sort: String, _ attributes: Item = [:]) -> Item {
        attributes.merging(["PK": .string(partition), "SK": .string(sort)]) { $1 }
    }
}

/// The ways a store can be kept; the same tests run on all.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
    case file, encrypted, memory

    var testDescription: String {
        switch self {
        case .file: "on disk"
        case .encrypted: "on disk, encrypted"
        case .memory: "in memory"
        }
    }

    /// Opens a store of this kind with the test table, runs `body`, and closes it.
    func withStore(
        _ limits: TableLimits = TableLimits(), _ body: (SQLiteTableStore) throws -> Void
    ) throws {
        let directory = try TemporaryDirectory()
        let keys = self == .encrypted ? AtRestKeys.test() : .none
        let store = try SQLiteTableStore.open(
            self == .memory ? .memory : .directory(directory.path), limits: limits,
            keys: { () throws(TableError) in keys })
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try body(store)
        #expect(try store.verify().problems == [])
    }
}

extension AtRestKeys {
    /// Keys of which all bytes are these numbers.
    static func test(_ current: UInt8? = 1, former: UInt8? = nil) -> AtRestKeys {
        func key(_ byte: UInt8) -> AtRestKey? { AtRestKey([UInt8](repeating: byte, count: AtRestKey.byteCount)) }
        return AtRestKeys(current: current.flatMap(key), former: former.flatMap(key))
    }
}

extension SQLiteTableStore {
    /// Puts items, one transaction each.
    func put(_ items: Item...) throws {
        for item in items {
            try transactAndWait([.put(table: TestTable.name, item: item)], principal: .anonymous)
        }
    }

}

extension TableError {
    /// The kind of a failure of what is under the tables, nil for other errors.
    var storageKind: StorageFailure.Kind? { if case .storage(let failure) = self { failure.kind } else { nil } }
}

/// Writes a whole file.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

/// Reads a whole file.
func read(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: ftell(file))
    rewind(file)
    try #require(fread(&bytes, 1, bytes.count, file) == bytes.count)
    return bytes
}

/// Overwrites a part of a file in place, so that every byte of it becomes another.
func overwrite(_ path: String, from offset: Int, count: Int) throws {
    let bytes = try read(path)[offset..<offset + count].map { $0 ^ 0x55 }
    let file = try #require(fopen(path, "r+"))
    defer { fclose(file) }
    fseek(file, offset, SEEK_SET)
    try #require(fwrite(bytes, 1, count, file) == count)
}

extension Condition {
    /// Whether the condition holds, whatever it costs.
    func holds(for item: Item?) -> Bool {
        var work = ExpressionWork(bytesMax: .max)
        return (try? holds(for: item, &work)) ?? false
    }
}

extension ItemUpdate {
    /// The item that the actions make, whatever it costs.
    static func apply(_ actions: [UpdateAction], to old: Item?, key: Item) throws(TableError) -> Item? {
        var work = ExpressionWork(bytesMax: .max)
        return try apply(actions, to: old, key: key, &work)
    }
}
