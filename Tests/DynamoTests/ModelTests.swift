import DynamoModel
import TableEngine
import TestSupport
import Testing

@Suite("The engine against a naive model")
struct ModelTests {
    /// A store and what a naive model says of it.
    private struct Run {
        let store: SQLiteTableStore
        var random: SeededGenerator
        var model = TableModel()

        mutating func transact() throws {
            let operations = random.operations()
            let expected = model.transact(operations)
            let outcomes = try? store.transactAndWait(operations, principal: .anonymous)
            #expect(outcomes == expected)
        }

        mutating func read() throws {
            let key = random.key()
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

        private mutating func query() -> Query {
            let index = [nil, "by-rank", "by-owner", "by-tag"].randomElement(using: &random) ?? nil
            let partition = index == nil ? random.key().partition : random.name()
            var sort: SortCondition?
            if index != "by-owner", Bool.random(using: &random) {
                let isNumber = index == "by-rank"
                let first = isNumber ? random.keyNumber() : random.key().sort ?? .null
                let last = isNumber ? random.keyNumber() : random.key().sort ?? .null
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
