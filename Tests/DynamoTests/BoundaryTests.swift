import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What lies exactly at a bound")
struct BoundaryTests {
    private static func query(_ limit: Int? = nil) -> Query {
        Query(table: TestTable.name, partition: "p", limit: limit)
    }

    @Test("A page takes items up to its last byte, and says that it may go on only where something follows")
    func pageBytes() throws {
        let item = TestTable.item("p", "1", ["v": "some text"])
        let size = ItemSize.of(item)
        for (bytes, count) in [(3 * size, 3), (3 * size - 1, 2), (3 * size + 1, 3), (size, 1), (1, 1)] {
            var limits = TableLimits()
            limits.pageBytesMax = bytes
            try StoreKind.memory.withStore(limits) { (store) throws in
                for number in 1...3 { try store.put(TestTable.item("p", "\(number)", ["v": "some text"])) }
                let page = try store.query(Self.query())
                #expect(page.items.count == count, "\(bytes)")
                #expect(page.lastEvaluatedKey == (count == 3 ? nil : ["PK": "p", "SK": .string("\(count)")]))
                let scanned = try store.scan(Scan(table: TestTable.name))
                #expect(scanned.items.count == count && scanned.scannedBytes == count * size)
            }
        }
    }

    @Test("A page with as many items as were asked for says where it goes on, also when nothing follows")
    func limit() throws {
        try StoreKind.memory.withStore { (store) throws in
            for number in 1...3 { try store.put(TestTable.item("p", "\(number)")) }
            #expect(try store.query(Self.query(3)).lastEvaluatedKey == ["PK": "p", "SK": "3"])
            #expect(try store.query(Self.query(4)).lastEvaluatedKey == nil)
            #expect(try store.query(Self.query(2)).items.count == 2)
            #expect(throws: TableError.self) { try store.query(Self.query(0)) }
            var last = Self.query(3)
            last.exclusiveStart = ["PK": "p", "SK": "3"]
            let end = try store.query(last)
            #expect(end.items.isEmpty && end.lastEvaluatedKey == nil)
        }
    }

    @Test("A count is told up to its limit and not beyond, of a table and of an index")
    func counts() throws {
        try StoreKind.memory.withStore { (store) throws in
            for number in 1...5 { try store.put(TestTable.item("p", "\(number)", ["owner": "o"])) }
            try store.put(TestTable.item("q", "1", ["owner": "other"]))
            for query in [Self.query(), Query(table: TestTable.name, index: "by-owner", partition: "o")] {
                #expect(try store.count(query, upTo: 6) == 5)
                #expect(try store.count(query, upTo: 5) == 5)
                #expect(try store.count(query, upTo: 4) == nil)
            }
            #expect(try store.count(Query(table: TestTable.name, partition: "none"), upTo: 0) == 0)
        }
    }

    @Test("The segments of a scan have each item once, those of a partition together, whatever bytes are in the keys")
    func segments() throws {
        let numbers = TableSchema(
            name: "numbers", partitionKey: KeyAttribute("n", .number), sortKey: KeyAttribute("SK"), indexes: [])
        try StoreKind.memory.withStore { (store) throws in
            try store.createTable(numbers)
            for number in 0..<60 {
                let text = ["p\(number)", "\0\(number)", "\(number)\0", "\0\0\(number)\0x"][number % 4]
                for sort in ["a", "\0", "b\0c"] {
                    try store.put(TestTable.item(text, sort, ["owner": .string("o\0\(number % 7)")]))
                    try store.transactAndWait(
                        [.put(table: "numbers", item: ["n": .number(Int64(number - 30)), "SK": .string(sort)])],
                        principal: .anonymous)
                }
            }
            for (table, index, name) in [
                (TestTable.name, nil, "PK"), (TestTable.name, "by-owner", "owner"), ("numbers", nil, "n"),
            ] as [(String, String?, AttributeName)] {
                let whole = try store.scan(Scan(table: table, index: index)).items
                for total in [1, 2, 5, 40] {
                    var seen: [AttributeValue: Int] = [:]
                    var count = 0
                    for number in 0..<total {
                        var scan = Scan(table: table, index: index)
                        scan.segment = ScanSegment(number, of: total)
                        for item in try store.scan(scan).items {
                            let partition = try #require(item[name])
                            #expect(seen[partition, default: number] == number)
                            seen[partition] = number
                            count += 1
                        }
                    }
                    #expect(count == whole.count && count == 180)
                    #expect(Set(seen.values).count > min(total, seen.count) / 4)
                }
            }
        }
    }

    // MARK: - Stored bytes

    @Test(
        "Stored items nest as deep as is said and no deeper, be they read or passed over", arguments: [6, 7] as [UInt8])
    func nesting(_ tag: UInt8) throws {
        func bytes(_ depth: Int) -> [UInt8] {
            let step: [UInt8] = tag == 6 ? [6, 1] : [7, 1, 1, 0x62]
            return [1, 1, 1, 0x61] + (0..<depth).flatMap { _ in step } + [0]
        }
        let deepest = bytes(TableLimits.storedNestingMax)
        let item = try ItemCodec.decode(deepest)
        #expect(ItemCodec.encode(item) == deepest)
        #expect(throws: ItemCodecError.damaged) { try ItemCodec.decode(bytes(TableLimits.storedNestingMax + 1)) }
        for (depth, isDeep) in [(TableLimits.storedNestingMax, false), (TableLimits.storedNestingMax + 1, true)] {
            let bytes = bytes(depth)
            let passed = bytes.withUnsafeBytes { bytes in
                Result { () throws(ItemCodecError) in
                    var reader = ItemReader(bytes)
                    _ = try reader.passHead()
                    _ = try reader.passText()
                    try reader.passValue(depth: 0)
                }
            }
            #expect(((try? passed.get()) == nil) == isDeep)
        }
    }

    @Test("Numbers that are never written are damage, and no number")
    func numbers() {
        func item(_ number: [UInt8]) -> [UInt8] { [1, 1, 1, 0x61, 2] + number }
        // An exponent out of bounds, a coefficient of more than 128 bits, and one whose bytes have no end.
        for number: [UInt8] in [
            [0x80, 0x08, 1], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1],
            [0x80, 0x03] + [UInt8](repeating: 0xFF, count: 18) + [0x04],
            [0x80, 0x03] + [UInt8](repeating: 0x80, count: 19) + [0x01],
            [0x80, 0x03] + [UInt8](repeating: 0xFF, count: 18),
        ] {
            #expect(throws: ItemCodecError.damaged) { try ItemCodec.decode(item(number)) }
        }
    }

    @Test("Counts that are more than there are bytes are damage")
    func storedCounts() {
        for bytes: [UInt8] in [
            [1, 2, 1, 0x61, 0], [1, 1, 1, 0x61, 1, 2, 0x61], [1, 1, 1, 0x61, 6, 0xFF, 0x7F, 0], [1, 1, 0x7F, 0x61, 0],
            [1, 1, 1, 0x61, 8, 3, 1, 0x61],
        ] {
            #expect(throws: ItemCodecError.damaged) { try ItemCodec.decode(bytes) }
        }
    }

    // MARK: - Updates

    @Test("An element right behind a list's end is appended, and the last one is replaced")
    func listEnd() throws {
        let item: Item = ["PK": "a", "list": .list(["a", "b"]), "map": .map(["deep": .list([1])])]
        func set(_ path: DocumentPath) throws -> Item? {
            try ItemUpdate.apply([.set(path, .value("new"))], to: item, key: ["PK": "a"])
        }
        #expect(try set(DocumentPath("list", [.element(2)]))?["list"] == .list(["a", "b", "new"]))
        #expect(try set(DocumentPath("list", [.element(1)]))?["list"] == .list(["a", "new"]))
        #expect(
            try set(DocumentPath("map", [.member("deep"), .element(1)]))?["map"] == .map(["deep": .list([1, "new"])]))
        #expect(throws: TableError.self) { try set(DocumentPath("list", [.element(2), .member("x")])) }
    }

    // MARK: - Waiting

    @Test("What has waited and is done counts no longer: the bound on waiting bytes is reached by no number of batches")
    func waitingBytes() throws {
        var limits = TableLimits()
        limits.itemBytesMax = 10_000
        limits.transactionBytesMax = 10_000
        limits.waitingBytesMax = 40_000
        try StoreKind.memory.withStore(limits) { (store) throws in
            func put(_ name: Int) -> [WriteOperation] {
                let value = AttributeValue.binary([UInt8](repeating: UInt8(name), count: 6000))
                return [.put(table: TestTable.name, item: TestTable.item("p", "\(name)", ["v": value]))]
            }
            for round in 0..<20 {
                // Each counts some twelve thousand bytes while it waits.
                let results = store.commitTogether((0..<3).map { put(round * 3 + $0) })
                #expect(results.allSatisfy { (try? $0?.get()) != nil }, "round \(round)")
            }
            let results = store.commitTogether((100..<106).map(put))
            #expect(results.map { (try? $0?.get()) != nil } == [true, true, true, false, false, false])
            #expect(try store.items(TestTable.name).count == 63)
        }
    }

    @Test("A batch that is cut keeps its order before what waits behind it, and what is put back counts as before")
    func cutBatch() throws {
        var limits = TableLimits()
        limits.batchBytesMax = 1000
        limits.batchTransactionsMax = 6
        limits.itemBytesMax = 4000
        limits.transactionBytesMax = 4000
        limits.waitingBytesMax = 20_000
        try StoreKind.memory.withStore(limits) { (store) throws in
            let delivered = Locked<[[String]]>([])
            store.subscribe { changes in
                delivered.withLock { $0.append(changes.compactMap { $0.newItem?["SK"]?.stringValue }) }
            }
            let value = AttributeValue.binary([UInt8](repeating: 7, count: 600))
            func put(_ name: Int) -> [WriteOperation] {
                [.put(table: TestTable.name, item: TestTable.item("p", "\(name)", ["v": value]))]
            }
            for round in 1...3 {
                let results = store.commitTogether((round * 10..<round * 10 + 10).map(put))
                #expect(results.allSatisfy { (try? $0?.get()) != nil })
            }
            let batches = delivered.withLock { $0 }
            #expect(batches.flatMap { $0 } == (10..<40).map { "\($0)" })
            #expect(batches.allSatisfy { $0.count == 2 })
            // Each counts more than twelve hundred bytes while it waits.
            let results = store.commitTogether((100..<130).map(put))
            #expect((10..<17).contains(results.count { (try? $0?.get()) != nil }))
        }
    }
}
