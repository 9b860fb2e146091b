import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("The work of expressions")
struct ExpressionWorkTests {
    private static let large = String(repeating: "a", count: 390_000)
    private static let item: Item = [
        "text": .string(large), "copy": .string(large), "part": .string(String(repeating: "a", count: 195_000) + "b"),
        "list": .list(Array(repeating: .null, count: 10_000)), "copied": .list(Array(repeating: .null, count: 10_000)),
        "words": .stringSet(AttributeSet((0..<1_000).map { "word \($0)" })), "bytes": .binary(Array(large.utf8)),
    ]

    @Test(
        "A condition is charged for the bytes it looks at",
        arguments: [
            (Condition.comparison(.path("text"), .equal, .path("copy")), 390_000),
            (.comparison(.path("text"), .less, .path("copy")), 390_000),
            (.comparison(.path("text"), .less, .value("b")), 1),
            (.between(.path("text"), lower: .path("copy"), upper: .path("copy")), 780_000),
            (.isIn(.path("text"), [.path("part"), .path("copy")]), 585_001),
            (.beginsWith(.path("text"), .path("part")), 195_001),
            (.contains(.path("text"), .path("part")), 585_001),
            (.contains(.path("bytes"), .value(.binary([1]))), 390_001),
            (.contains(.path("list"), .value(1)), 4 * 20_003), (.contains(.path("words"), .value("word 7")), 120),
            (.comparison(.path("list"), .equal, .path("copied")), 4 * 20_003),
            (.comparison(.size("text"), .equal, .value(1)), 390_008),
            (.attributeExists("text"), 0), (.comparison(.path("text"), .equal, .value(1)), 0),
        ])
    func conditions(condition: Condition, bytes: Int) throws {
        var work = ExpressionWork(bytesMax: .max)
        _ = try condition.holds(for: Self.item, &work)
        #expect(work.bytes == bytes)
    }

    @Test("A part that nearly fits everywhere is looked for in one pass")
    func search() throws {
        var work = ExpressionWork(bytesMax: 600_000)
        #expect(try !Condition.contains(.path("text"), .path("part")).holds(for: Self.item, &work))
    }

    @Test("An update is charged for the lists and sets it makes")
    func updates() throws {
        var work = ExpressionWork(bytesMax: .max)
        let append = UpdateAction.set("new", .listAppend(.path("list"), .path("list")))
        _ = try ItemUpdate.apply([append], to: Self.item, key: [:], &work)
        #expect(work.bytes == 20_000 * MemoryLayout<AttributeValue>.stride)
        work = ExpressionWork(bytesMax: .max)
        _ = try ItemUpdate.apply([.add("words", .stringSet(["x"]))], to: Self.item, key: [:], &work)
        #expect(work.bytes > 4 * 6_000)
    }

    @Test("What is removed of a list in one update are the elements that were at those positions")
    func removals() throws {
        let list = AttributeValue.list((0..<1_000).map { .number(Int64($0)) })
        let item: Item = ["list": list, "map": .map(["inner": list])]
        let positions = stride(from: 0, to: 1_200, by: 3)
        let actions = positions.flatMap { position -> [UpdateAction] in
            [
                .remove(DocumentPath("list", [.element(position)])),
                .remove(DocumentPath("map", [.member("inner"), .element(position)])),
            ]
        }
        let rest = AttributeValue.list((0..<1_000).filter { $0 % 3 != 0 }.map { .number(Int64($0)) })
        let new = try ItemUpdate.apply(actions, to: item, key: [:])
        #expect(new == ["list": rest, "map": .map(["inner": rest])])
    }

    @Test("A transaction whose expressions cost too much is refused, and nothing of it happens")
    func refused() throws {
        var limits = TableLimits()
        limits.transactionWorkBytesMax = 5_000_000
        try StoreKind.memory.withStore(limits) { store in
            try store.put(TestTable.item("a", "1", ["text": .string(Self.large)]))
            let key = TestTable.key("a", "1")
            func delete(looking times: Int) throws {
                let condition = Condition.or(Array(repeating: .contains(.path("text"), .value("b")), count: times))
                try store.transactAndWait(
                    [.delete(table: TestTable.name, key: key, condition: .not(condition))], principal: .anonymous)
            }
            #expect(throws: TableError.self) { try delete(looking: 20) }
            #expect(try store.getItem(table: TestTable.name, key: key) != nil)
            try delete(looking: 10)
            #expect(try store.getItem(table: TestTable.name, key: key) == nil)
        }
    }

    @Test("A page ends early when its filter has looked at enough, and the pages together hold everything")
    func pages() throws {
        var limits = TableLimits()
        limits.pageWorkBytesMax = 1_000_000
        limits.pageBytesMax = 100_000_000
        try StoreKind.memory.withStore(limits) { store in
            for number in 0..<10 { try store.put(TestTable.item("\(number)", "1", ["text": .string(Self.large)])) }
            let filter = Condition.not(.contains(.path("text"), .value("b")))
            var pages = 0
            var found = 0
            var start: Item?
            repeat {
                let page = try store.scan(Scan(table: TestTable.name, filter: filter, exclusiveStart: start))
                #expect(page.scannedCount <= 3)
                (found, pages, start) = (found + page.items.count, pages + 1, page.lastEvaluatedKey)
            } while start != nil
            #expect(found == 10)
            #expect(pages > 3)
        }
    }
}
