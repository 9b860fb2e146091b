import Foundation
import SQLite
import Testing

@Suite("The log of a database that was not closed")
struct WriteAheadLogFileTests {
    /// The files of a database as the end of its process leaves them.
    private struct Crash {
        var database: [UInt8]
        var log: [UInt8]
        var index: [UInt8]?

        init(_ path: String) throws {
            database = try Self.read(path)
            log = try Self.read(path + "-wal")
            index = try Self.read(path + "-shm")
        }

        private static func read(_ path: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(filePath: path)))
        }

        /// Lays the files out anew; `body` looks at them.
        func inDirectory<Result>(_ body: (_ path: String) throws -> Result) throws -> Result {
            let directory = try TemporaryDirectory()
            let path = directory.path + "/b.db"
            defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
            try Data(database).write(to: URL(filePath: path))
            try Data(log).write(to: URL(filePath: path + "-wal"))
            if let index { try Data(index).write(to: URL(filePath: path + "-shm")) }
            return try body(path)
        }

        func damage() throws -> WriteAheadLogFile.Damage? {
            try inDirectory { try WriteAheadLogFile.damage(ofDatabase: $0) }
        }

        func cut() throws -> DatabaseFile.Cut? {
            try inDirectory { try DatabaseFile.cut(ofDatabase: $0) }
        }

        /// The content of all rows; nil when SQLite cannot read it.
        func texts() throws -> [[UInt8]]? {
            try inDirectory { path in
                let connection = try DatabaseConnection(path: path, mode: .readWrite, busyTimeoutMilliseconds: 0)
                guard let select = try? connection.statement("SELECT text FROM t ORDER BY number") else { return nil }
                defer { select.reset() }
                var texts: [[UInt8]] = []
                while true {
                    guard let isRow = try? select.step() else { return nil }
                    guard isRow else { return texts }
                    texts.append([UInt8](select.blob(0)))
                }
            }
        }

        /// What SQLite finds when it opens the files: nil when it finds them damaged.
        func rows() throws -> [Int64]? {
            try inDirectory { path in
                guard
                    let connection = try? DatabaseConnection(path: path, mode: .readWrite, busyTimeoutMilliseconds: 0),
                    let select = try? connection.statement("SELECT number FROM t ORDER BY number")
                else { return nil }
                var rows: [Int64] = []
                while (try? select.step()) == true { rows.append(select.int64(0)) }
                select.reset()
                return rows
            }
        }
    }

    /// A database with so many transactions in its log, of which the first `moved` are in the database, too.
    ///
    /// - Parameter before: how many rows, of negative numbers, are in the database and not in its log.
    private func crash(
        transactions: Int, moved: Int = 0, before: Int = 0, andThen: (DatabaseConnection) throws -> Void = { _ in }
    ) throws -> Crash {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a.db"
        let connection = try DatabaseConnection(path: path, mode: .create, busyTimeoutMilliseconds: 0)
        try connection.prepareForWriting()
        try connection.execute("CREATE TABLE t(number INTEGER PRIMARY KEY, text BLOB)")
        for _ in 0..<before {
            try connection.execute(
                "INSERT INTO t(number, text) SELECT ifnull(min(number), 0) - 1, randomblob(6000) FROM t")
        }
        try connection.checkpoint(.restart)
        for number in 0..<transactions {
            let insert = try connection.statement("INSERT INTO t(number, text) VALUES(?1, randomblob(6000))")
            try insert.bind(Int64(number), at: 1)
            try insert.run()
            if number + 1 == moved { try connection.checkpoint(.passive) }
        }
        try andThen(connection)
        return try Crash(path)
    }

    @Test("A log that is whole is in order, moved or not, with and without its index", arguments: [0, 3, 5])
    func whole(moved: Int) throws {
        var crash = try crash(transactions: 5, moved: moved)
        #expect(try crash.damage() == nil)
        crash.index = nil
        #expect(try crash.damage() == nil)
    }

    @Test(
        "Whatever is flipped or cut off: it is told exactly when something committed is not there",
        arguments: [0, 3, 5])
    func exact(moved: Int) throws {
        let whole = try crash(transactions: 5, moved: moved)
        let all = Array(Int64(0)..<5)
        for offset in stride(from: 0, to: whole.log.count, by: 211) {
            var flipped = whole
            flipped.log[offset] ^= 0x10
            #expect(try (flipped.damage() == nil) == (flipped.rows() == all), "byte \(offset) flipped")
            var cut = whole
            cut.log.removeLast(whole.log.count - offset)
            #expect(try (cut.damage() == nil) == (cut.rows() == all), "cut to \(offset)")
        }
    }

    @Test("Without an index, damage is told by the transactions behind it")
    func withoutIndex() throws {
        var damaged = try crash(transactions: 5)
        damaged.index = nil
        damaged.log[32 + 24 + 100] ^= 1
        let damage = try #require(try damaged.damage())
        #expect(damage.wholeBytes == 32)
        #expect(damage.lostFrames == nil)
    }

    @Test("What is cut off where it was said to end is a log that is whole")
    func cutBack() throws {
        var damaged = try crash(transactions: 5)
        damaged.log[damaged.log.count - 9000] ^= 1
        let damage = try #require(try damaged.damage())
        #expect(damage.isConsistentWithout)
        damaged.log.removeLast(damaged.log.count - damage.wholeBytes)
        damaged.index = nil
        #expect(try damaged.damage() == nil)
        #expect(try damaged.rows() == [0, 1, 2, 3])
    }

    @Test("A write that a crash has cut short is no damage, nor is one that was taken back")
    func unfinished() throws {
        var torn = try crash(transactions: 3) { connection in
            try connection.execute("PRAGMA cache_size = 1; BEGIN")
            try connection.execute("INSERT INTO t VALUES(100, randomblob(400000))")
        }
        torn.log.removeLast(1000)
        #expect(try torn.damage() == nil)
        let takenBack = try crash(transactions: 3) { connection in
            try connection.execute("PRAGMA cache_size = 1; BEGIN")
            try connection.execute("INSERT INTO t VALUES(100, randomblob(400000))")
            try connection.execute("ROLLBACK; INSERT INTO t VALUES(3, randomblob(100))")
        }
        #expect(takenBack.log.count > 400_000)
        #expect(try takenBack.damage() == nil)
        #expect(try takenBack.rows() == [0, 1, 2, 3])
    }

    @Test("A log that has begun anew is not measured by what the one before left")
    func begunAnew() throws {
        let crash = try crash(transactions: 20) { connection in
            try connection.checkpoint(.restart)
            try connection.execute("INSERT INTO t VALUES(20, randomblob(100))")
        }
        #expect(try crash.damage() == nil)
    }

    @Test("Where there is no log, nothing is missing")
    func none() throws {
        let directory = try TemporaryDirectory()
        #expect(try WriteAheadLogFile.damage(ofDatabase: directory.path + "/a.db") == nil)
        #expect(try DatabaseFile.cut(ofDatabase: directory.path + "/a.db") == nil)
    }

    @Test("A database of which pages are cut off is told of, unless its log has them", arguments: [0, 3, 5])
    func cutDatabase(moved: Int) throws {
        let whole = try crash(transactions: 5, moved: moved, before: 10)
        #expect(try whole.cut() == nil)
        let pages = whole.database.count / 4096
        let texts = try #require(try whole.texts())
        for kept in 1..<pages {
            var cut = whole
            cut.database.removeLast((pages - kept) * 4096 - 100)
            #expect(try (cut.cut() == nil) == (cut.texts() == texts), "\(kept) pages of \(pages)")
        }
    }
}
