import Dispatch
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Writes that wait while their table gets another index")
struct MovedWriteTests {
    @Test("are checked by the index that there is when it is their turn", arguments: StoreKind.allCases)
    func put(kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let results = Locked<[Result<[WriteOutcome], TableError>]>([])
            let done = DispatchGroup()
            try store.updateTable(TestTable.name) { (old) throws(TableError) in
                // Prepared by the indexes as they were: nothing is wrong with either then.
                for value: AttributeValue in ["of the type", .number(1)] {
                    done.enter()
                    let item = TestTable.item("p", "\(value)", ["place": value])
                    store.transact([.put(table: TestTable.name, item: item)], principal: .anonymous, urgency: .usual) {
                        result in
                        results.withLock { $0.append(result) }
                        done.leave()
                    }
                }
                var schema = old
                schema.indexes.append(IndexSchema("by-place", partitionKey: KeyAttribute("place")))
                return schema
            }
            done.wait()
            let outcomes = results.withLock { $0 }
            try #require(outcomes.count == 2)
            #expect(throws: Never.self) { try outcomes[0].get() }
            let refusal = #expect(throws: TableError.self) { try outcomes[1].get() }
            #expect(refusal?.description.contains("by-place") == true)
            #expect(try store.items(TestTable.name).count == 1)
            #expect(try store.items(TestTable.name, index: "by-place").count == 1)
        }
    }
}
