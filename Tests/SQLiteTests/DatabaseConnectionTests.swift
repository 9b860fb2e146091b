import SQLite
import Testing

@Suite("SQLite connections")
struct ConnectionTests {
    private func memory() throws -> DatabaseConnection {
        try DatabaseConnection(path: ":memory:", mode: .create, busyTimeoutMilliseconds: 0)
    }

    @Test("What is bound is read back: numbers, text, bytes, nothing")
    func roundTrip() throws {
        let connection = try memory()
        try connection.execute("CREATE TABLE t(number INTEGER, text TEXT, bytes BLOB, absent BLOB)")
        let insert = try connection.statement("INSERT INTO t VALUES(?1, ?2, ?3, ?4)")
        try insert.bind(Int64.min, at: 1)
        try insert.bind("grüße\0\u{1F600}", at: 2)
        try insert.bind([0, 255, 0], at: 3)
        try insert.bind(nil, at: 4)
        try insert.run()
        let select = try connection.statement("SELECT number, text, bytes, absent FROM t")
        #expect(try select.step())
        #expect(select.int64(0) == Int64.min)
        #expect(select.text(1) == "grüße\0\u{1F600}")
        #expect([UInt8](select.blob(2)) == [0, 255, 0])
        #expect(select.isNull(3))
        #expect(try !select.step())
        select.reset()
    }

    @Test("Empty text and empty bytes are not NULL")
    func emptyValues() throws {
        let connection = try memory()
        let select = try connection.statement("SELECT ?1, ?2")
        try select.bind("", at: 1)
        try select.bind([UInt8](), at: 2)
        #expect(try select.step())
        #expect(!select.isNull(0) && select.text(0) == "")
        #expect(!select.isNull(1) && select.blob(1).isEmpty)
        select.reset()
    }

    @Test("A statement is compiled once, and runs again after an error")
    func statements() throws {
        let connection = try memory()
        try connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let sql: StaticString = "INSERT INTO t VALUES(?1)"
        let insert = try connection.statement(sql)
        #expect(try connection.statement(sql) === insert)
        try insert.bind(1, at: 1)
        try insert.run()
        let error = #expect(throws: SQLiteError.self) { try insert.run() }
        #expect(error?.kind == .constraint)
        try insert.bind(2, at: 1)
        try insert.run()
        #expect(connection.lastInsertedRow == 2)
        #expect(connection.changedRows == 1)
    }

    @Test("What a transaction wrote is taken back when its body throws")
    func rollBack() throws {
        let connection = try memory()
        try connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        #expect(throws: SQLiteError.self) {
            try connection.write { () throws(SQLiteError) in
                try connection.execute("INSERT INTO t VALUES(1)")
                try connection.execute("INSERT INTO t VALUES(1)")
            }
        }
        #expect(!connection.isInTransaction)
        let count = try connection.statement("SELECT count(*) FROM t")
        #expect(try count.step() && count.int64(0) == 0)
        count.reset()
    }

    @Test("A reader sees one state while another connection writes, and the data version tells of the write")
    func snapshot() throws {
        let directory = try TemporaryDirectory()
        let writer = try DatabaseConnection(path: directory.path + "/a.db", mode: .create, busyTimeoutMilliseconds: 0)
        try writer.prepareForWriting()
        try writer.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let reader = try DatabaseConnection(
            path: directory.path + "/a.db", mode: .readWrite, busyTimeoutMilliseconds: 0)
        func count() throws(SQLiteError) -> Int64 {
            let statement = try reader.statement("SELECT count(*) FROM t")
            defer { statement.reset() }
            return try statement.step() ? statement.int64(0) : -1
        }
        let version = try reader.dataVersion()
        try reader.read(failing: { $0 }) { () throws(SQLiteError) in
            #expect(try count() == 0)
            try writer.execute("INSERT INTO t VALUES(1)")
            #expect(try count() == 0)
        }
        #expect(try count() == 1)
        #expect(try reader.dataVersion() != version)
        #expect(writer.walFrames > 0)
        let (frames, moved) = try reader.checkpoint(.passive)
        #expect(frames == moved)
        #expect(try writer.integrityProblems() == [])
    }

    @Test("A checkpoint moves the log, also on a connection that has done nothing before")
    func checkpoint() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a.db"
        let writer = try DatabaseConnection(path: path, mode: .create, busyTimeoutMilliseconds: 0)
        try writer.prepareForWriting()
        try writer.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let frames = writer.walFrames
        let passive = try DatabaseConnection(path: path, mode: .readWrite, busyTimeoutMilliseconds: 0).checkpoint(
            .passive)
        #expect(passive.frames == frames && passive.moved == frames && frames > 0)
        try writer.execute("INSERT INTO t VALUES(1)")
        let restarted = try DatabaseConnection(path: path, mode: .readWrite, busyTimeoutMilliseconds: 0).checkpoint(
            .restart)
        #expect(restarted.frames == restarted.moved)
        try writer.execute("INSERT INTO t VALUES(2)")
        #expect(writer.walFrames == 1, "the log begins anew")
    }

    @Test("A copy is of one state, though writing goes on")
    func backup() throws {
        let directory = try TemporaryDirectory()
        let writer = try DatabaseConnection(path: directory.path + "/a.db", mode: .create, busyTimeoutMilliseconds: 0)
        try writer.prepareForWriting()
        try writer.execute(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            INSERT INTO t SELECT i, zeroblob(1000) FROM n;
            """)
        let source = try DatabaseConnection(path: directory.path + "/a.db", mode: .readOnly, busyTimeoutMilliseconds: 0)
        let target = directory.path + "/b.db"
        try source.read(failing: { $0 }) { () throws(SQLiteError) in
            let backup = try Backup(of: source, to: target)
            var steps = 0
            while let progress = try backup.step(pages: 50) {
                try writer.execute("DELETE FROM t WHERE id = (SELECT max(id) FROM t)")
                steps += 1
                #expect(progress.remaining == progress.total - 50 * steps)
            }
            #expect(steps > 3)
        }
        let copy = try DatabaseConnection(path: target, mode: .readOnly, busyTimeoutMilliseconds: 0)
        let count = try copy.statement("SELECT count(*) FROM t")
        #expect(try count.step() && count.int64(0) == 1000)
        count.reset()
        #expect(try copy.integrityProblems() == [])
        try Backup.copy(source, to: target)
        #expect(try count.step() && count.int64(0) < 1000)
        count.reset()
    }
}
