import DynamoTable
import Glibc
import Testing

/// A directory that goes away with its content.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/table-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
        path = String(cString: try #require(made))
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

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

/// The two ways a store can be kept; the same tests run on both.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
    case file, memory

    var testDescription: String { self == .file ? "on disk" : "in memory" }

    /// Opens a store of this kind with the test table, runs `body`, and closes it.
    func withStore(
        _ limits: TableLimits = TableLimits(), _ body: (SQLiteTableStore) throws -> Void
    ) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(self == .file ? .directory(directory.path) : .memory, limits: limits)
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try body(store)
        #expect(try store.verify().problems == [])
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
