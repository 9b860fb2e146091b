import FlagCore
import Glibc
import JSON
import Logging
import Testing

@testable import FlagServer

@Suite("Log")
struct StandardErrorLogTests {
    static let time = Timestamp(millisecondsSinceEpoch: 1_767_323_045_678)

    static func line(_ format: ServerConfiguration.Log.Format, _ message: String, _ metadata: Logger.Metadata) -> String
    {
        let log = StandardErrorLog(format: format, label: "flag-server")
        return String(
            decoding: log.line(at: time, level: .warning, message: message, metadata: metadata), as: UTF8.self)
    }

    @Test("Text lines carry time, level, message, and metadata in order")
    func text() {
        #expect(
            Self.line(.text, "stopped", ["b": "two words", "a": "1", "c": ""])
                == "2026-01-02T03:04:05.678Z WARNING  stopped a=1 b=\"two words\" c=\"\"")
    }

    @Test("JSON lines are objects with the same")
    func json() throws {
        let line = Self.line(.json, "said \"no\"", ["port": .stringConvertible(3001), "who": ["a", "b"]])
        #expect(
            line == #"{"time":"2026-01-02T03:04:05.678Z","level":"warning","message":"said \"no\"","#
                + #""port":3001,"who":["a","b"]}"#)
        _ = try JSONValue(parsing: line)
    }

    @Test("What somebody sends cannot forge a line", arguments: ServerConfiguration.Log.Format.allCases)
    func forgery(format: ServerConfiguration.Log.Format) {
        let line = Self.line(format, "flag \n2026 forged", ["key": "a\r\nb\u{1b}[31m"])
        #expect(!line.utf8.contains { $0 < 0x20 })
    }

    @Test("In the journal a line has its priority, and only there")
    func journal() throws {
        let levels = Logger.Level.allCases.map { StandardErrorLog.prefix(of: $0) }
        #expect(levels == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
        var status = stat()
        #expect(fstat(STDERR_FILENO, &status) == 0)
        #expect(StandardErrorLog.isJournal("\(status.st_dev):\(status.st_ino)"))
        #expect(!StandardErrorLog.isJournal("\(status.st_dev):\(status.st_ino + 1)"))
        #expect(!StandardErrorLog.isJournal("1:"))
        #expect(!StandardErrorLog.isJournal(nil))
    }

    @Test("Metadata never takes the place of time, level or message")
    func reserved() throws {
        let line = Self.line(.json, "real", ["message": "forged"])
        #expect(try JSONValue(parsing: line)["message"]?.stringValue == "real")
    }
}
