import DynamoModel
import TableEngine
import TestSupport
import Testing

@Suite("Tables")
struct TableTests {
    @Test("Tables of one store do not see one another, and what is deleted is gone", arguments: StoreKind.allCases)
    func separate(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let other = TableSchema(
                name: "other", partitionKey: KeyAttribute("id", .number),
                throughput: Throughput(readUnits: 25, writeUnits: 25))
            try store.createTable(other)
            try store.put(TestTable.item("a", "1", ["owner": "ann"]))
            try store.transactAndWait([.put(table: "other", item: ["id": 7])], principal: .anonymous)
            #expect(try store.listTables() == ["other", TestTable.name])
            #expect(try store.describeTable("other").schema == other)
            #expect(try store.scan(Scan(table: "other")).items == [["id": 7]])
            #expect(throws: TableError.tableExists("other")) { try store.createTable(other) }
            try store.deleteTable(TestTable.name)
            #expect(throws: TableError.tableNotFound(TestTable.name)) { try store.scan(Scan(table: TestTable.name)) }
            #expect(throws: TableError.tableNotFound(TestTable.name)) { try store.deleteTable(TestTable.name) }
            try store.createTable(TestTable.schema)
            #expect(try store.scan(Scan(table: TestTable.name)).items.isEmpty)
            #expect(try store.query(Query(table: TestTable.name, index: "by-owner", partition: "ann")).items.isEmpty)
            #expect(try store.scan(Scan(table: "other")).items == [["id": 7]])
        }
    }

    @Test(
        "A schema that makes no sense is refused",
        arguments: [
            TableSchema(name: "x", partitionKey: KeyAttribute("a")),
            TableSchema(name: "white space", partitionKey: KeyAttribute("a")),
            TableSchema(name: "abc", partitionKey: KeyAttribute("")),
            TableSchema(name: "abc", partitionKey: KeyAttribute("a"), sortKey: KeyAttribute("a")),
            TableSchema(
                name: "abc", partitionKey: KeyAttribute("a"),
                indexes: [IndexSchema("one", partitionKey: KeyAttribute("a", .number))]),
            TableSchema(
                name: "abc", partitionKey: KeyAttribute("a"),
                indexes: [
                    IndexSchema("one", partitionKey: KeyAttribute("b")),
                    IndexSchema("one", partitionKey: KeyAttribute("c")),
                ]),
        ])
    func refusedSchemas(_ schema: TableSchema) throws {
        try StoreKind.memory.withStore { (store) throws in
            #expect(throws: TableError.self) { try store.createTable(schema) }
            #expect(try store.listTables() == [TestTable.name])
        }
    }

    @Test("Tables, items, settings and identity are there when the store is opened again")
    func reopen() throws {
        let directory = try TemporaryDirectory()
        let item = TestTable.item("a", "1", ["group": "g", "rank": 1])
        let first = try SQLiteTableStore.open(.directory(directory.path))
        try first.createTable(TestTable.schema)
        try first.put(item)
        try first.setSetting("color", to: "blue")
        try first.setSetting("color", to: "green")
        let identity = first.storeID
        first.close()
        #expect(identity.utf8.count == 32)
        let second = try SQLiteTableStore.open(.directory(directory.path))
        defer { second.close() }
        #expect(second.storeID == identity)
        #expect(try second.setting("color") == "green")
        #expect(try second.setting("shape") == nil)
        #expect(try second.describeTable(TestTable.name).schema == TestTable.schema)
        #expect(try second.query(Query(table: TestTable.name, index: "by-rank", partition: "g")).items == [item])
        #expect(second.lastSequence == 1)
        let report = try second.verify()
        #expect(report.items == 1 && report.entries == 1 && report.problems == [])
    }

    @Test("Two stores have two identities")
    func identity() throws {
        let first = try SQLiteTableStore.open(.memory)
        let second = try SQLiteTableStore.open(.memory)
        #expect(first.storeID != second.storeID)
        first.close()
        second.close()
    }

    @Test("A closed store answers so", arguments: StoreKind.allCases)
    func closed(_ kind: StoreKind) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(kind == .file ? .directory(directory.path) : .memory)
        try store.createTable(TestTable.schema)
        store.close()
        store.close()
        #expect(throws: TableError.closed) { try store.put(TestTable.item("a", "1")) }
        #expect(throws: TableError.closed) { try store.scan(Scan(table: TestTable.name)) }
        #expect(throws: TableError.closed) { try store.setSetting("a", to: "b") }
    }
}
