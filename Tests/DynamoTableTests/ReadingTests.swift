import DynamoTable
import Testing

@Suite("Reading tables")
struct ReadingTests {
    @Test("What was put is read back, by key and by every index", arguments: StoreKind.allCases)
    func putAndRead(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let item = TestTable.item(
                "a", "1", ["group": "g", "rank": 7, "owner": "ann", "tag": "t", "note": "n", "x": true])
            try store.put(item)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("a", "1")) == item)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("a", "2")) == nil)
            #expect(try store.query(Query(table: TestTable.name, partition: "a")).items == [item])
            #expect(
                try store.query(Query(table: TestTable.name, index: "by-rank", partition: "g")).items == [item])
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
}
