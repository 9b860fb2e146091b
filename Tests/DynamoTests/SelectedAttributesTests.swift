import CSQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import SQLite
@testable import TableEngine

@Suite("Reading only some attributes")
struct SelectedAttributesTests {
    @Test("Of an item that is read which was selected, as far as it has it", arguments: [1, 2] as [UInt64])
    func selection(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var item: Item = [:]
            for _ in 0..<6 { item[random.text()] = random.value() }
            var wanted = Set(item.keys.filter { _ in Bool.random(using: &random) })
            for _ in 0..<2 { wanted.insert(AttributeName(random.text())) }
            let bytes = ItemCodec.encode(item)
            #expect(try read(bytes, AttributeSelection(wanted)) == item.filter { wanted.contains($0.key) })
        }
    }

    @Test("An item that ends before what is wanted of it is refused")
    func damage() {
        let bytes = ItemCodec.encode(["a": "1", "b": .list([1, 2, .map(["c": "d"])]), "z": "last"])
        let all = AttributeSelection(["z"])
        for count in 0..<bytes.count {
            #expect(throws: ItemCodecError.self) { try read(Array(bytes[..<count]), all) }
        }
    }

    private func read(_ bytes: [UInt8], _ selection: AttributeSelection) throws -> Item {
        try bytes.withUnsafeBytes { buffer in
            var reader = ItemReader(buffer)
            return try reader.item(only: selection)
        }
    }

    @Test("Queries and scans answer them beside the keys, page after page", arguments: StoreKind.allCases)
    func pages(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            for number in 0..<5 {
                try store.put(
                    TestTable.item(
                        "a", "\(number)", ["group": "g", "rank": 7, "note": .string("n\(number)"), "other": "o"]))
            }
            func ofTable(_ number: Int) -> Item { TestTable.item("a", "\(number)", ["note": .string("n\(number)")]) }
            func ofIndex(_ number: Int) -> Item { ofTable(number).merging(["group": "g", "rank": 7]) { $1 } }
            var query = Query(table: TestTable.name, partition: "a", limit: 2)
            query.attributes = ["note", "missing"]
            #expect(try all(query, store) == (0..<5).map(ofTable))
            (query.index, query.partition) = ("by-rank", "g")
            #expect(try all(query, store) == (0..<5).map(ofIndex))
            var scan = Scan(table: TestTable.name, limit: 2)
            scan.attributes = []
            let first = try store.scan(scan)
            #expect(first.items == (0..<2).map { TestTable.item("a", "\($0)") })
            scan.exclusiveStart = first.lastEvaluatedKey
            #expect(try store.scan(scan).items == (2..<4).map { TestTable.item("a", "\($0)") })
        }
    }

    private func all(_ query: Query, _ store: SQLiteTableStore) throws -> [Item] {
        var query = query
        var items: [Item] = []
        repeat {
            let page = try store.query(query)
            items += page.items
            query.exclusiveStart = page.lastEvaluatedKey
        } while query.exclusiveStart != nil
        return items
    }

    @Test("What reading has kept of the file is given back, and the connections go on")
    func releasedMemory() throws {
        try StoreKind.file.withStore { (store) throws in
            let text = AttributeValue.string(String(repeating: "x", count: 10_000))
            for number in 0..<50 { try store.put(TestTable.item("a", "\(number)", ["note": text])) }
            func kept() throws -> Int32 {
                try store.readers.read { (connection) throws(TableError) in
                    var (now, most): (Int32, Int32) = (0, 0)
                    connection.withHandle { _ = sqlite3_db_status($0, SQLITE_DBSTATUS_CACHE_USED, &now, &most, 0) }
                    return now
                }
            }
            #expect(try store.query(Query(table: TestTable.name, partition: "a")).items.count == 50)
            #expect(try kept() > 400_000)
            store.releaseMemory()
            #expect(try kept() < 100_000)
            #expect(try store.query(Query(table: TestTable.name, partition: "a")).items.count == 50)
        }
    }
}
