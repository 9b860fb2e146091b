import Access
import FlagCore
import Glibc
import HTTPTransport
import JSON
import Logging
import Platform
import TestSupport
import Testing

@testable import FlagServer

@Suite("Where the log goes")
struct LogOutputTests {
    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    /// Reads whole lines until there are enough, or none come any more.
    private static func read(_ descriptor: Int32, until isEnough: ([Substring]) -> Bool) -> [Substring] {
        var text = ""
        while true {
            let lines = text.split(separator: "\n")
            if text.hasSuffix("\n"), isEnough(lines) { return lines }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 20_000) == 1 else { return lines }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return lines }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }

    @Test("A reader that does not read keeps nobody waiting; what was dropped is counted and told")
    func slowReader() throws {
        let (reading, writing) = try Self.pipe()
        let output = LogOutput(writing, bytesMaximum: 100_000) { Array("\($0) dropped\n".utf8) }
        output.start()
        let count = 20_000
        // Two MiB: far more than a pipe holds and than may wait.
        for number in 0..<count { output.write(Array("\(String(repeating: "x", count: 100))\(number)\n".utf8)) }
        let dropped = output.dropped
        #expect(dropped > UInt64(count) / 2)
        func told(_ lines: [Substring]) -> Int {
            lines.filter { $0.hasSuffix(" dropped") }.compactMap { Int($0.dropLast(8)) }.reduce(0, +)
        }
        let lines = Self.read(reading) { told($0) == Int(dropped) }
        #expect(told(lines) == Int(dropped))
        #expect(lines.count { $0.hasPrefix("x") } == count - Int(dropped))
        output.write(Array("afterwards\n".utf8))
        #expect(Self.read(reading) { $0 == ["afterwards"] } == ["afterwards"])
        output.flush(within: .seconds(10))
    }

    @Test("A level holds for lines about something, and everything is told for a while")
    func levels() {
        let levels = LogLevels()
        let (whole, store, keys) = ("flag-server", "flag-server.store", "flag-server.keys")
        #expect([whole, store].map(levels.level(of:)) == [.info, .info])
        levels.replace(.warning, [.store: .debug])
        #expect([whole, store, keys].map(levels.level(of:)) == [.warning, .debug, .warning])
        levels.raise(true)
        #expect([whole, store, keys].map(levels.level(of:)) == [.debug, .debug, .debug])
        levels.replace(.error)
        levels.raise(false)
        #expect([whole, store, keys].map(levels.level(of:)) == [.error, .error, .error])
    }
}
