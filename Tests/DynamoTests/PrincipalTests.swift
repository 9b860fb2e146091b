import DynamoModel
import TableEngine
import TestSupport
import Testing

@Suite("Who made a change, and how")
struct PrincipalTests {
    private static var circumstances: ChangeCircumstances {
        var circumstances = ChangeCircumstances()
        circumstances.reason = "line one\nline two, \"quoted\" {}"
        circumstances.requestID = "r-1"
        circumstances.address = "192.0.2.7"
        circumstances.userAgent = "curl/8"
        circumstances.proof = "key"
        circumstances.onBehalfOf = "account ada"
        circumstances.cause = "schedule 7"
        return circumstances
    }

    private static let principals = [
        Principal.anonymous, .server, Principal(.key, "abc"), Principal(.local, "root"), Principal(.command, "import"),
        Principal(.account, "odd\n{name}"), Principal(.accessKey, "FSAK1"),
    ]

    @Test("is read from the change stream as it was written", arguments: principals)
    func record(principal: Principal) {
        let told = principal.with(Self.circumstances)
        #expect(Principal(record: told.record) == principal)
        #expect(Principal(record: told.record).circumstances == Self.circumstances)
        #expect(Principal(record: principal.record) == principal)
        #expect(Principal(record: principal.record).circumstances == nil)
        #expect(principal.record == principal.description, "as former versions wrote it")
    }

    @Test("is the same actor whatever the circumstances")
    func equality() {
        let key = Principal(.key, "abc")
        #expect(key == key.with(Self.circumstances))
        #expect(Set([key, key.with(Self.circumstances)]).count == 1)
        #expect(key.with(ChangeCircumstances()).circumstances == nil)
        #expect(key != Principal(.account, "abc"))
    }

    @Test("goes with a change into the stream, also after the store was opened again")
    func stream() throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try SQLiteTableStore.open(.directory(directory.path))
            defer { store.close() }
            try store.createTable(TestTable.schema)
            try store.transactAndWait(
                [.put(table: TestTable.name, item: TestTable.item("a", "b"))],
                principal: Principal(.key, "abc").with(Self.circumstances))
        }
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        let change = try #require(try store.changes(after: 0, limit: 10).last)
        #expect(change.principal == Principal(.key, "abc"))
        #expect(change.principal.circumstances == Self.circumstances)
    }
}
