import DynamoTable
import Testing

@Suite("The engine against a naive model")
struct ModelTests {
    /// A store and what a naive model says of it.
    private struct Run {
        let store: SQLiteTableStore
        var random: SeededGenerator
        var model = TableModel()

        mutating func transact() throws {
            var operations: [WriteOperation] = []
            var keys: Set<TableKey> = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let operation = self.operation()
                if keys.insert(operation.key).inserted { operations.append(operation.operation) }
            }
            let expected = model.transact(operations)
            let outcomes = try? store.transactAndWait(operations, principal: .anonymous)
            #expect(outcomes == expected)
        }

        mutating func read() throws {
            let key = self.key()
            #expect(try store.getItem(table: TestTable.name, key: key) == model.items[key])
            var query = self.query()
            let expected = model.query(query)
            query.limit = [nil, 1, 3].randomElement(using: &random) ?? nil
            var answered: [Item] = []
            repeat {
                let page = try store.query(query)
                answered += page.items
                query.exclusiveStart = page.lastEvaluatedKey
            } while query.exclusiveStart != nil
            #expect(answered == expected, "\(query)")
        }

        private mutating func key() -> TableKey {
            TestTable.key(
                ["p", "q", "q\0", "é"].randomElement(using: &random) ?? "",
                "s\(Int.random(in: 0..<8, using: &random))")
        }

        private mutating func number() -> AttributeValue {
            [.number(random.number()), 1, 2, 10, -1].randomElement(using: &random) ?? 0
        }

        private mutating func name() -> AttributeValue {
            .string(["a", "ab", "b"].randomElement(using: &random) ?? "")
        }

        private mutating func operation() -> (key: TableKey, operation: WriteOperation) {
            let key = self.key()
            let condition: Condition? =
                switch Int.random(in: 0..<6, using: &random) {
                case 0: .attributeExists("PK")
                case 1: .attributeNotExists("PK")
                case 2: .compare("rank", .less, number())
                default: nil
                }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: return (key, .delete(table: TestTable.name, key: key, condition: condition))
            case 1:
                return (key, .check(table: TestTable.name, key: key, condition: condition ?? .attributeExists("PK")))
            case 2...4:
                return (key, .update(table: TestTable.name, key: key, actions: actions(), condition: condition))
            default:
                var item: Item = ["PK": key.partition, "SK": key.sort ?? .null, "value": random.value()]
                if Bool.random(using: &random) { item["group"] = name() }
                if Bool.random(using: &random) { item["rank"] = number() }
                if Bool.random(using: &random) { item["owner"] = name() }
                if Bool.random(using: &random) { item["tag"] = name() }
                if Bool.random(using: &random) { item["note"] = random.value() }
                return (key, .put(table: TestTable.name, item: item, condition: condition))
            }
        }

        private mutating func actions() -> [UpdateAction] {
            [
                [.set("group", .value(name()))], [.remove("group")], [.set("rank", .value(number()))],
                [.add("rank", number())], [.remove("rank"), .set("owner", .value(name()))],
                [.set("rank", .value("no number"))],
                [.set("tag", .value(name())), .set("note", .value(random.value()))],
                [.set("note", .path("value"))], [],
            ].randomElement(using: &random) ?? []
        }

        private mutating func query() -> Query {
            let index = [nil, "by-rank", "by-owner", "by-tag"].randomElement(using: &random) ?? nil
            let partition = index == nil ? key().partition : name()
            var sort: SortCondition?
            if index != "by-owner", Bool.random(using: &random) {
                let isNumber = index == "by-rank"
                let first = isNumber ? number() : key().sort ?? .null
                let last = isNumber ? number() : key().sort ?? .null
                let conditions: [SortCondition] =
                    [
                        .equal(first), .less(first), .lessOrEqual(first), .greater(first), .greaterOrEqual(first),
                        .between(first, last),
                    ] + (isNumber ? [] : [.beginsWith("s")])
                sort = conditions.randomElement(using: &random)
            }
            return Query(
                table: TestTable.name, index: index, partition: partition, sort: sort,
                forward: Bool.random(using: &random),
                filter: Int.random(in: 0..<4, using: &random) == 0 ? .attributeExists("owner") : nil)
        }
    }

    @Test("Random operations do the same to both", arguments: StoreKind.allCases, [11, 12, 13] as [UInt64])
    func randomOperations(_ kind: StoreKind, _ seed: UInt64) throws {
        try kind.withStore { (store) throws in
            var run = Run(store: store, random: SeededGenerator(seed: seed))
            for _ in 0..<300 {
                try run.transact()
                try run.read()
            }
            #expect(Set(try store.scan(Scan(table: TestTable.name)).items) == Set(run.model.items.values))
        }
    }
}
