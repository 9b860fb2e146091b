import Glibc
import SQLite
import Testing

@Suite("SQLite errors")
struct SQLiteErrorTests {
    @Test(
        "Every failure that an operator can mend has its kind and says what to do",
        arguments: [
            (13, SQLiteError.Kind.full, "Free space"), (8, .readOnly, "mounted read-only"),
            (1032, .readOnly, "mounted read-only"), (5, .locked, "fuser"), (261, .locked, "fuser"),
            (14, .cannotOpen, "directory"), (11, .corrupt, "last backup"), (26, .notADatabase, "no SQLite database"),
            (1034, .inputOutput, "dmesg"), (2067, .constraint, "report it"), (21, .other, "report it"),
        ] as [(Int32, SQLiteError.Kind, String)])
    func kinds(_ code: Int32, _ kind: SQLiteError.Kind, _ hint: String) {
        let error = SQLiteError(operation: "write", path: "/data/x.db", extendedCode: code, message: "it failed")
        #expect(error.kind == kind)
        #expect(error.hint.contains(hint))
        #expect(error.description.hasPrefix("cannot write /data/x.db: it failed (SQLite \(code))"))
    }

    @Test("A file in a directory that is not there cannot be opened, and the system's reason is told")
    func missingDirectory() {
        let error = #expect(throws: SQLiteError.self) {
            try DatabaseConnection(path: "/tmp/there/is/none/a.db", mode: .create, busyTimeoutMilliseconds: 0)
        }
        #expect(error?.kind == .cannotOpen)
        #expect(error?.systemError == ENOENT)
        #expect(error?.description.contains("No such file or directory") == true)
    }

    @Test("A file that must exist is not made")
    func missingFile() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: SQLiteError.self) {
            try DatabaseConnection(path: directory.path + "/a.db", mode: .readWrite, busyTimeoutMilliseconds: 0)
        }
        #expect(access(directory.path + "/a.db", F_OK) != 0)
    }

    @Test("A lock that another connection holds is an error after the timeout")
    func locked() throws {
        let directory = try TemporaryDirectory()
        let first = try DatabaseConnection(path: directory.path + "/a.db", mode: .create, busyTimeoutMilliseconds: 0)
        try first.prepareForWriting()
        let second = try DatabaseConnection(path: directory.path + "/a.db", mode: .create, busyTimeoutMilliseconds: 1)
        try first.beginWriting()
        let error = #expect(throws: SQLiteError.self) { try second.beginWriting() }
        #expect(error?.kind == .locked)
        first.rollBack()
        try second.beginWriting()
        second.rollBack()
    }

    @Test("A wrong statement is an error with SQLite's message and without bound values")
    func wrongStatement() throws {
        let connection = try DatabaseConnection(path: ":memory:", mode: .create, busyTimeoutMilliseconds: 0)
        let error = #expect(throws: SQLiteError.self) { try connection.statement("SELECT x FROM nowhere") }
        #expect(error?.message == "no such table: nowhere")
        try connection.execute("CREATE TABLE t(v TEXT CHECK(v <> 'secret'))")
        let insert = try connection.statement("INSERT INTO t VALUES(?1)")
        try insert.bind("secret", at: 1)
        let failure = #expect(throws: SQLiteError.self) { try insert.run() }
        #expect(failure?.kind == .constraint)
    }
}
