import SQLite
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Verification")
struct VerificationTests {
    /// A way to damage a store behind its back, and what a verification says of it.
    struct Damage: CustomTestStringConvertible {
        let testDescription: String
        let sql: StaticString
        let expected: String
    }

    @Test(
        "What contradicts itself is found",
        arguments: [
            Damage(
                testDescription: "a missing entry", sql: "DELETE FROM entry WHERE key IN (SELECT max(key) FROM entry)",
                expected: "has no entry in"),
            Damage(
                testDescription: "an entry too many",
                sql: "INSERT INTO entry SELECT CAST(key || x'00' AS BLOB), item FROM entry LIMIT 1",
                expected: "the items account for"),
            Damage(
                testDescription: "a missing item", sql: "DELETE FROM item WHERE id = 3",
                expected: "items of things are missing"),
            Damage(
                testDescription: "an item of no table",
                sql: "UPDATE item SET key = CAST(x'7e' || key AS BLOB) WHERE id = 3",
                expected: "belongs to no table"),
            Damage(
                testDescription: "an item under another key",
                sql: "UPDATE item SET key = CAST(key || x'00' AS BLOB) WHERE id = 3",
                expected: "under another key"),
            Damage(
                testDescription: "an unreadable item", sql: "UPDATE item SET content = x'0163' WHERE id = 3",
                expected: "cannot be read"),
            Damage(
                testDescription: "an older item",
                sql: "UPDATE item SET content = (SELECT new FROM change WHERE sequence = 1) WHERE id = 1",
                expected: "not what its last change in the stream"),
            Damage(
                testDescription: "a change too few", sql: "DELETE FROM change WHERE sequence = 4",
                expected: "missing from the stream"),
            Damage(
                testDescription: "time that runs backwards",
                sql: "UPDATE change SET committed_at = 1 WHERE sequence = 4",
                expected: "committed before"),
            Damage(
                testDescription: "a change that begins with another item",
                sql: "UPDATE change SET old = new WHERE sequence = 6", expected: "begins with another item"),
            Damage(
                testDescription: "wrong statistics",
                sql: "UPDATE setting SET value = '9 9 0 0 0 0 0 0' WHERE name LIKE 'store.statistics.%'",
                expected: "is said to have 9 items"),
        ])
    func damage(_ damage: Damage) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<5 { try store.put(TestTable.item("p", "\(number)", ["owner": "o"])) }
        try store.put(TestTable.item("p", "0", ["owner": "other"]))
        #expect(try store.verify().problems == [])
        let connection = try DatabaseConnection(
            path: directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute(damage.sql)
        let problems = try store.verify().problems
        #expect(problems.contains { $0.contains(damage.expected) }, "\(problems)")
    }

    @Test("Items that the log of continuous backups contradicts are found, also when the stream is gone")
    func log() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<5 { try store.put(TestTable.item("p", "\(number)")) }
        _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
        for number in 5..<9 { try store.put(TestTable.item("p", "\(number)")) }
        try store.backups.archive.flush()
        #expect(try store.verify().problems == [])
        let connection = try DatabaseConnection(
            path: directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute(
            """
            DELETE FROM change WHERE sequence < 9; DELETE FROM item WHERE id IN (1, 7);
            UPDATE setting SET value = '7 26 0 0 0 0 0 0' WHERE name LIKE 'store.statistics.%';
            """)
        let problems = try store.verify().problems
        #expect(problems.contains { $0.contains("2 items of things are missing that the log") }, "\(problems)")
    }

    @Test("Damaged backups, bases and logs are found", arguments: ["backups", "base-", "log-"])
    func files(_ kind: String) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<50 { try store.put(TestTable.item("p", "\(number)")) }
        _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        for number in 50..<99 { try store.put(TestTable.item("p", "\(number)")) }
        try store.backups.archive.flush()
        let report = try store.verify()
        #expect(report.problems == [])
        #expect(report.backups == 1 && report.loggedChanges == 49 && report.changes == 99)
        let life = try #require(try store.setting("continuous.\(TestTable.name)"))
        let vault = BackupVault(directory: directory.path)
        let folder = "continuous/\(life)"
        let file = try vault.files(in: folder).first { $0.hasPrefix(kind) }.map { "\(folder)/\($0)" }
        try overwrite("\(directory.path)/\(file ?? "backups/\(backup.id).backup")", from: 500, count: 1)
        let problems = try store.verify().problems
        #expect(problems.contains { $0.contains("is not what was written") }, "\(problems)")
    }
}
