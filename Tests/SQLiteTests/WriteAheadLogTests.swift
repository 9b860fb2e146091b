import Glibc
import SQLite
import Testing

@Suite("The check of a write-ahead log")
struct WriteAheadLogTests {
    /// A database whose log holds the rows of a number of transactions.
    private func database(_ directory: TemporaryDirectory, transactions: Int = 20) throws -> DatabaseConnection {
        let connection = try DatabaseConnection(
            path: directory.path + "/a.db", mode: .create, busyTimeoutMilliseconds: 0)
        try connection.prepareForWriting()
        try connection.execute("CREATE TABLE t(bytes BLOB)")
        for _ in 0..<transactions { try connection.execute("INSERT INTO t VALUES(randomblob(10000))") }
        return connection
    }

    private func flip(_ path: String, at offset: Int) throws {
        let file = open(path, O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        var byte: UInt8 = 0
        try #require(pread(file, &byte, 1, off_t(offset)) == 1)
        byte ^= 0x10
        try #require(pwrite(file, &byte, 1, off_t(offset)) == 1)
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    @Test("One that was only just made, one with commits, one that began anew, and none at all pass")
    func passes() throws {
        let directory = try TemporaryDirectory()
        let connection = try database(directory, transactions: 0)
        try WriteAheadLog.check(through: connection)
        for _ in 0..<20 { try connection.execute("INSERT INTO t VALUES(randomblob(10000))") }
        try WriteAheadLog.check(through: connection)
        try connection.checkpoint(.restart)
        try WriteAheadLog.check(through: connection)
        try connection.execute("INSERT INTO t VALUES(randomblob(10000))")
        try WriteAheadLog.check(through: connection)
        let memory = try DatabaseConnection(path: ":memory:", mode: .create, busyTimeoutMilliseconds: 0)
        try WriteAheadLog.check(through: memory)
    }

    @Test("Any bit that is another than was committed is found; what was not committed does not matter")
    func damage() throws {
        let directory = try TemporaryDirectory()
        let connection = try database(directory)
        let log = directory.path + "/a.db-wal"
        let committed = size(log)
        try connection.beginWriting()
        // Pages that go into the log before the commit, which does not come.
        try connection.execute("PRAGMA cache_size = 10")
        for _ in 0..<20 { try connection.execute("INSERT INTO t VALUES(randomblob(10000))") }
        connection.rollBack()
        try #require(size(log) > committed)
        try flip(log, at: size(log) - 100)
        try WriteAheadLog.check(through: connection)
        for offset in [3, 9, 17, 21, 30, 33, 41, 50, 56, 1000] + stride(from: 3000, to: committed, by: 9973) {
            try flip(log, at: offset)
            let error = #expect(throws: SQLiteError.self, "at \(offset)") {
                try WriteAheadLog.check(through: connection)
            }
            #expect(error?.kind == .corrupt)
            try flip(log, at: offset)
        }
        try WriteAheadLog.check(through: connection)
        try #require(truncate(log, off_t(committed - 1)) == 0)
        #expect(throws: SQLiteError.self) { try WriteAheadLog.check(through: connection) }
    }
}
