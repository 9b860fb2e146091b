import DynamoModel
import TableEngine
import Testing

@Suite("Reading tables")
struct ReadingTests {
    @Test("What was put is read back, by key and by every index", arguments: StoreKind.allCases)
    func putAndRead(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let item = TestTable.item(
                "a", "1", ["group": "g", "rank": 7, "owner": "ann", "tag": "t", "note": "n", "x": true])
            try store.put(item)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("a", "1")) == item)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("a", "2")) == nil)
            #expect(
                try store.getItems(
                    table: TestTable.name, keys: [TestTable.key("b", "1"), TestTable.key("a", "1")]) == [nil, item])
            #expect(try store.query(Query(table: TestTable.name, partition: "a")).items == [item])
            #expect(try store.query(Query(table: TestTable.name, index: "by-rank", partition: "g")).items == [item])
            #expect(
                try store.query(Query(table: TestTable.name, index: "by-owner", partition: "ann")).items == [
                    ["PK": "a", "SK": "1", "owner": "ann"]
                ])
            #expect(
                try store.query(Query(table: TestTable.name, index: "by-tag", partition: "t")).items == [
                    ["PK": "a", "SK": "1", "tag": "t", "note": "n"]
                ])
        }
    }

    @Test("Indexes follow their items: sparse, moved, left")
    func indexes() throws {
        try StoreKind.memory.withStore { (store) throws in
            func ranked(_ group: AttributeValue) throws -> [Item] {
                try store.query(Query(table: TestTable.name, index: "by-rank", partition: group)).items
            }
            func update(_ actions: UpdateAction...) throws {
                try store.transactAndWait(
                    [.update(table: TestTable.name, key: TestTable.key("a", "1"), actions: actions)],
                    principal: .anonymous)
            }
            try store.put(TestTable.item("a", "1", ["group": "g"]))
            #expect(try ranked("g").isEmpty)
            try update(.set("rank", .value(2)))
            #expect(try ranked("g").count == 1)
            try update(.set("group", .value("h")))
            #expect(try ranked("g").isEmpty)
            #expect(try ranked("h").count == 1)
            try update(.remove("rank"))
            #expect(try ranked("h").isEmpty)
            try update(.set("rank", .value(1)))
            try store.transactAndWait(
                [.delete(table: TestTable.name, key: TestTable.key("a", "1"))], principal: .anonymous)
            #expect(try ranked("h").isEmpty)
        }
    }

    @Test("Sort keys of numbers are in numeric order, both ways, and conditions cut the range")
    func sortOrder() throws {
        try StoreKind.memory.withStore { (store) throws in
            for rank: Int64 in [10, 9, -1, 100, 0] {
                try store.put(TestTable.item("a", "\(rank)", ["group": "g", "rank": .number(rank)]))
            }
            func ranks(_ sort: SortCondition? = nil, forward: Bool = true) throws -> [Int64] {
                try store.query(
                    Query(table: TestTable.name, index: "by-rank", partition: "g", sort: sort, forward: forward)
                ).items.compactMap { $0["rank"]?.int64Value }
            }
            #expect(try ranks() == [-1, 0, 9, 10, 100])
            #expect(try ranks(forward: false) == [100, 10, 9, 0, -1])
            #expect(try ranks(.less(9)) == [-1, 0])
            #expect(try ranks(.lessOrEqual(9)) == [-1, 0, 9])
            #expect(try ranks(.greater(9), forward: false) == [100, 10])
            #expect(try ranks(.greaterOrEqual(9)) == [9, 10, 100])
            #expect(try ranks(.between(0, 10)) == [0, 9, 10])
            #expect(try ranks(.between(10, 0)) == [])
            #expect(try ranks(.equal(100)) == [100])
            #expect(throws: TableError.self) { try ranks(.equal("100")) }
            #expect(throws: TableError.self) { try ranks(.beginsWith(1)) }
        }
    }

    @Test("Strings that are canonically equivalent in Unicode are different keys and values")
    func bytewiseStrings() throws {
        try StoreKind.memory.withStore { (store) throws in
            try store.put(TestTable.item("\u{E9}", "1", ["v": 1]), TestTable.item("e\u{301}", "1", ["v": 2]))
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("\u{E9}", "1"))?["v"] == 1)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("e\u{301}", "1"))?["v"] == 2)
        }
    }

    @Test("Pages of any size, in both directions, together are the whole", arguments: [1, 2, 3, 7, 100])
    func pages(_ limit: Int) throws {
        try StoreKind.memory.withStore { (store) throws in
            for number: Int64 in 0..<20 {
                // Many entries of equal index keys, which the table's key puts in order.
                try store.put(
                    TestTable.item("p", "s\(number)", ["group": "g", "rank": .number(number / 7), "owner": "o"]))
            }
            for index in [nil, "by-rank", "by-owner"] {
                for forward in [true, false] {
                    let partition: AttributeValue = index == nil ? "p" : index == "by-rank" ? "g" : "o"
                    var query = Query(table: TestTable.name, index: index, partition: partition, forward: forward)
                    let whole = try store.query(query).items
                    #expect(whole.count == 20)
                    query.limit = limit
                    var paged: [Item] = []
                    repeat {
                        let page = try store.query(query)
                        #expect(page.items.count <= limit)
                        paged += page.items
                        query.exclusiveStart = page.lastEvaluatedKey
                    } while query.exclusiveStart != nil
                    #expect(paged == whole)
                }
                var scan = Scan(table: TestTable.name, index: index, limit: limit)
                var count = 0
                repeat {
                    let page = try store.scan(scan)
                    count += page.items.count
                    scan.exclusiveStart = page.lastEvaluatedKey
                } while scan.exclusiveStart != nil
                #expect(count == 20)
            }
        }
    }

    @Test("A page goes on in the right place though the item that it ended with is gone")
    func pageAfterDeletedItem() throws {
        try StoreKind.memory.withStore { (store) throws in
            for number in 1...5 { try store.put(TestTable.item("p", "\(number)", ["owner": "o"])) }
            let first = try store.query(Query(table: TestTable.name, index: "by-owner", partition: "o", limit: 2))
            #expect(first.lastEvaluatedKey == ["PK": "p", "SK": "2", "owner": "o"])
            try store.transactAndWait(
                [.delete(table: TestTable.name, key: TestTable.key("p", "2"))], principal: .anonymous)
            let rest = try store.query(
                Query(table: TestTable.name, index: "by-owner", partition: "o", exclusiveStart: first.lastEvaluatedKey))
            #expect(rest.items.map { $0["SK"] } == ["3", "4", "5"])
        }
    }

    @Test("A page ends before 1 MB of items, but has at least one; limit and size count before the filter")
    func pageSize() throws {
        try StoreKind.memory.withStore { (store) throws in
            for number in 1...5 {
                try store.put(
                    TestTable.item("p", "\(number)", ["v": .string(String(repeating: "v", count: 400_000))]))
            }
            let first = try store.query(Query(table: TestTable.name, partition: "p"))
            #expect(first.items.count == 2)
            #expect(first.lastEvaluatedKey == ["PK": "p", "SK": "2"])
            let filtered = try store.query(
                Query(table: TestTable.name, partition: "p", limit: 2, filter: .equals("SK", "2")))
            #expect(filtered.items.count == 1)
            #expect(filtered.scannedCount == 2)
            #expect(filtered.lastEvaluatedKey == ["PK": "p", "SK": "2"])
        }
        var limits = TableLimits()
        limits.pageBytesMax = 10
        try StoreKind.memory.withStore(limits) { (store) throws in
            try store.put(TestTable.item("p", "1", ["v": "more than ten bytes"]), TestTable.item("p", "2"))
            #expect(try store.query(Query(table: TestTable.name, partition: "p")).items.count == 1)
        }
    }

    @Test(
        "A start key that is none of this query is refused",
        arguments: [
            ["PK": "p"], ["PK": "p", "SK": "1", "x": 1], ["PK": "p", "SK": 1], ["PK": "q", "SK": "1"], [:],
        ] as [Item])
    func wrongStartKeys(_ start: Item) throws {
        try StoreKind.memory.withStore { (store) throws in
            #expect(throws: TableError.self) {
                try store.query(Query(table: TestTable.name, partition: "p", exclusiveStart: start))
            }
        }
    }
}
