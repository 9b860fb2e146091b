import SQLite
import Testing

@Suite("SQLite connections")
struct ConnectionTests {
    @Test("What is bound is read back: numbers, text, bytes, nothing")
    func roundTrip() throws {
        let connection = try Connection(path: ":memory:", mode: .create, busyTimeoutMilliseconds: 0)
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
        let connection = try Connection(path: ":memory:", mode: .create, busyTimeoutMilliseconds: 0)
        let select = try connection.statement("SELECT ?1, ?2")
        try select.bind("", at: 1)
        try select.bind([UInt8](), at: 2)
        #expect(try select.step())
        #expect(!select.isNull(0) && select.text(0) == "")
        #expect(!select.isNull(1) && select.blob(1).isEmpty)
        select.reset()
    }
}
