import DynamoModel
import TableEngine
import Testing

@Suite("What may be stored")
struct ValidationTests {
    private static func nested(_ depth: Int) -> AttributeValue {
        (0..<depth).reduce(.null) { value, _ in .list([value]) }
    }

    private static func nestedMaps(_ depth: Int) -> AttributeValue {
        (0..<depth).reduce(.null) { value, _ in .map(["m": value]) }
    }

    @Test(
        "An item that DynamoDB refuses is refused with its words",
        arguments: [
            (["SK": "x"], "Missing the key PK in the item"), (["PK": "x"], "Missing the key SK in the item"),
            (["PK": 1, "SK": "x"], "Type mismatch for key PK expected: S actual: N"),
            (["PK": "", "SK": "x"], "cannot contain an empty string value. Key: PK"),
            (["PK": .string(String(repeating: "k", count: 2049)), "SK": "x"], "Size of hashkey has exceeded"),
            (["PK": "x", "SK": .string(String(repeating: "k", count: 1025))], "Aggregated size of all range keys"),
            (["PK": "x", "SK": "x", "s": .stringSet([])], "An string set  may not be empty"),
            (["PK": "x", "SK": "x", "m": .map(["s": .numberSet([])])], "An number set  may not be empty"),
            (["PK": "x", "SK": "x", "deep": nested(33)], "Nesting Levels have exceeded"),
            (["PK": "x", "SK": "x", "deep": nestedMaps(33)], "Nesting Levels have exceeded"),
            (["PK": "x", "SK": "x", "": 1], "Empty attribute name"),
            (
                ["PK": "x", "SK": "x", "rank": "high"],
                "Type mismatch for Index Key rank Expected: N Actual: S IndexName: by-rank"
            ),
            (["PK": "x", "SK": "x", "owner": ""], "IndexName: by-owner, IndexKey: owner"),
            (
                ["PK": "x", "SK": "x", "v": .string(String(repeating: "v", count: 400 * 1024 - 6))],
                "Item size has exceeded"
            ),
        ] as [(Item, String)])
    func refusedItems(_ item: Item, _ message: String) throws {
        try StoreKind.memory.withStore { (store) throws in
            #expect {
                try store.put(item)
            } throws: { error in
                guard case .validation(let text) = error as? TableError else { return false }
                return text.contains(message)
            }
        }
    }

    @Test(
        "An item at the very limits is stored",
        arguments: [
            TestTable.item(String(repeating: "k", count: 2048), String(repeating: "s", count: 1024)),
            ["PK": "x", "SK": "x", "deep": nested(32)], ["PK": "x", "SK": "x", "deep": nestedMaps(32)],
            ["PK": "x", "SK": "x", "v": .string(String(repeating: "v", count: 400 * 1024 - 7))],
            ["PK": "x", "SK": "x", "v": "", "b": .binary([]), "l": .list([]), "m": .map(["": ""])],
        ] as [Item])
    func acceptedItems(_ item: Item) throws {
        try StoreKind.memory.withStore { (store) throws in
            try store.put(item)
            #expect(try store.scan(Scan(table: TestTable.name)).items == [item])
        }
    }

    @Test("An update may not touch keys, nor the same place twice")
    func refusedUpdates() throws {
        try StoreKind.memory.withStore { (store) throws in
            for actions: [UpdateAction] in [
                [.set("PK", .value("b"))], [.remove("SK")], [.set("a", .value(1)), .remove("a")],
                [.set("a", .value(.map([:]))), .set(DocumentPath("a", [.member("b")]), .value(1))],
            ] {
                #expect(throws: TableError.self) {
                    try store.transactAndWait(
                        [.update(table: TestTable.name, key: TestTable.key("a", "1"), actions: actions)],
                        principal: .anonymous)
                }
            }
            #expect(try store.scan(Scan(table: TestTable.name)).items.isEmpty)
        }
    }

    @Test(
        "An update that cannot be made of any item is refused with DynamoDB's words, before the condition is looked at",
        arguments: [
            (
                [.set("SK", .value("x")), .remove("PK")],
                "One or more parameter values were invalid: Cannot update attribute PK."
                    + " This attribute is part of the key"
            ),
            (
                [.set("a", .value(1)), .set("rank", .listAppend(.path("a"), .path("b")))],
                "One or more parameter values were invalid: Type mismatch for Index Key rank Expected: N Actual: L"
                    + " IndexName: by-rank"
            ),
            (
                [.add("group", 1)],
                "One or more parameter values were invalid: Type mismatch for Index Key group Expected: S Actual: N"
                    + " IndexName: by-rank"
            ),
            (
                [.set(DocumentPath("owner", [.element(1)]), .value(1))],
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed:"
                    + " IndexKey: owner"
            ),
            (
                [.set("a", .ifNotExists(DocumentPath("SK", [.member("x")]), .value(1)))],
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: SK"
            ),
            (
                [.set("a", .value(1)), .remove(DocumentPath("a", [.member("b")]))],
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of"
                    + " these paths; path one: [a], path two: [a, b]"
            ),
            (
                [.set(DocumentPath("a", [.element(0)]), .value(1)), .remove(DocumentPath("a", [.member("b")]))],
                "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of"
                    + " these paths; path one: [a, [0]], path two: [a, b]"
            ),
        ] as [([UpdateAction], String)])
    func impossibleUpdates(_ actions: [UpdateAction], _ message: String) throws {
        try StoreKind.memory.withStore { (store) throws in
            #expect(throws: TableError.validation(message)) {
                try store.transactAndWait(
                    [
                        .update(
                            table: TestTable.name, key: TestTable.key("a", "1"), actions: actions,
                            condition: .attributeExists("PK"))
                    ], principal: .anonymous)
            }
        }
    }

    @Test(
        "An update that makes something impossible of an item is refused with DynamoDB's words",
        arguments: [
            (
                [.set("rank", .path("text"))],
                "The update expression attempted to update the secondary index key to unsupported type"
            ),
            (
                [.set("owner", .path("empty"))],
                "One or more parameter values are not valid. The update expression attempted to update a secondary"
                    + " index key to a value that is not supported. The AttributeValue for a key attribute cannot"
                    + " contain an empty string value."
            ),
            (
                [.set("long", .value(.binary([UInt8](repeating: 1, count: 400 * 1024))))],
                "Item size to update has exceeded the maximum allowed size"
            ),
        ] as [([UpdateAction], String)])
    func refusedResults(_ actions: [UpdateAction], _ message: String) throws {
        try StoreKind.memory.withStore { (store) throws in
            try store.put(TestTable.item("a", "1", ["text": "t", "empty": ""]))
            #expect(throws: TableError.validation(message)) {
                try store.transactAndWait(
                    [.update(table: TestTable.name, key: TestTable.key("a", "1"), actions: actions)],
                    principal: .anonymous)
            }
        }
    }

    @Test("A transaction has 1 to 100 operations on different items of at most 4 MB")
    func transactions() throws {
        func put(_ index: Int, bytes: Int = 1) -> WriteOperation {
            .put(
                table: TestTable.name,
                item: TestTable.item("a", "\(index)", ["v": .binary(.init(repeating: 1, count: bytes))]))
        }
        try StoreKind.memory.withStore { (store) throws in
            try store.transactAndWait((1...100).map { put($0) }, principal: .anonymous)
            for operations in [
                [], (1...101).map { put($0) }, [put(1), put(1)], (1...11).map { put($0, bytes: 400_000) },
            ] {
                #expect(throws: TableError.self) { try store.transactAndWait(operations, principal: .anonymous) }
            }
            #expect(try store.scan(Scan(table: TestTable.name)).items.count == 100)
        }
    }

    @Test("A key that does not fit the table, and a table that does not exist, are errors")
    func wrongKeys() throws {
        try StoreKind.memory.withStore { (store) throws in
            for key in [TableKey("a"), TableKey("a", 1), TableKey(1, "a"), TableKey("", "a")] {
                #expect(throws: TableError.self) { try store.getItem(table: TestTable.name, key: key) }
            }
            #expect(throws: TableError.tableNotFound("none")) {
                try store.getItem(table: "none", key: TestTable.key("a", "b"))
            }
            #expect(throws: TableError.indexNotFound(table: TestTable.name, index: "none")) {
                try store.query(Query(table: TestTable.name, index: "none", partition: "a"))
            }
        }
    }
}
