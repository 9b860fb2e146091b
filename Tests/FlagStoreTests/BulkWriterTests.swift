import DynamoModel
import FlagCore
import Platform
import TableEngine
import Testing

@testable import FlagStore

@Suite("Writing many items, in many transactions")
struct BulkWriterTests {
    private static let exists = Condition.attributeExists(DocumentPath(Attribute.partition))

    private func item(_ number: Int, bytes: Int = 0) -> Item {
        [
            Attribute.partition: "NOTES", Attribute.sort: .string("\(number + 100_000)"),
            "text": .string(String(repeating: "x", count: bytes)),
        ]
    }

    private func write(_ operations: [WriteOperation], _ fixture: Fixture) throws {
        let writer = BulkWriter(
            repository: fixture.repository, scope: .tests(.development),
            progress: WorkProgress())
        try writer.write(operations.enumerated().map { (name: "\($0)", operation: $1) })
    }

    private func count(_ fixture: Fixture) throws -> Int? {
        try fixture.store.count(Query(table: Fixture.table, partition: "NOTES"), upTo: 100_000)
    }

    @Test("After one that fails, no more are begun than were under way")
    func failing() throws {
        let fixture = try Fixture()
        var operations: [WriteOperation] = (0..<8_000).map { .put(table: Fixture.table, item: item($0)) }
        operations[0] = .put(table: Fixture.table, item: item(0), condition: Self.exists)
        let refusal = failure { try write(operations, fixture) }
        guard case .conflict(name: "0") = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(try #require(try count(fixture)) < 4_000)
    }

    @Test("What is too large together is written in parts, and of what fails the right one is named")
    func halves() throws {
        let fixture = try Fixture()
        let operations: [WriteOperation] = (0..<12).map { number in
            .put(table: Fixture.table, item: item(number, bytes: 390_000))
        }
        try write(operations, fixture)
        #expect(try count(fixture) == 12)
        for failing in [2, 7, 11] {
            var others = operations
            others[failing] = .put(
                table: Fixture.table, item: item(failing + 100, bytes: 390_000), condition: Self.exists)
            guard case .conflict(let name) = failure({ try write(others, fixture) }) else {
                Issue.record("\(failing) was written")
                return
            }
            #expect(name == "\(failing)")
        }
    }

    @Test("What is written is counted, and not what must hold of each transaction")
    func counting() throws {
        let fixture = try Fixture()
        try fixture.store.transactAndWait(
            [.put(table: Fixture.table, item: item(-1))], principal: .anonymous)
        let progress = WorkProgress()
        let writer = BulkWriter(
            repository: fixture.repository, scope: .tests(.development), progress: progress)
        let key = TableKey("NOTES", item(-1)[Attribute.sort])
        try writer.write(
            (0..<250).map { (name: "\($0)", operation: .put(table: Fixture.table, item: item($0))) },
            check: ("first", .check(table: Fixture.table, key: key, condition: Self.exists)))
        #expect(progress.counts.done == 250)
        #expect(try count(fixture) == 251)
    }
}
