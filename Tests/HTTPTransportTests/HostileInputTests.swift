import Glibc
import TestSupport
import Testing

@testable import HTTPTransport

@Suite("Hostile input")
struct HostileInputTests {
    @Test("Damaged requests come to the same however they are split", arguments: 0..<8 as Range<UInt64>)
    func damagedSplits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for wire in WireCase.all where wire.bytes.count < 400 {
            for _ in 0..<4 {
                let bytes = damaged(wire.bytes, &generator)
                let whole = try MachineBench.transcript([bytes])
                let split = try MachineBench.transcript(bytes.split(seed: generator.next()))
                // Whether an interim answer is due depends on what has come by then.
                #expect(
                    split.filter { $0 != "100" } == whole.filter { $0 != "100" },
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test("The head parser reads no byte beyond what has come", arguments: WireCase.all)
    func guardPage(wire: WireCase) {
        let page = 4096
        let size = (wire.bytes.count + page - 1) / page * page
        let memory = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        defer { munmap(memory, size + page) }
        mprotect(memory + size, page, PROT_NONE)
        var fields = FieldTable(capacity: 100)
        for length in stride(from: 1, through: wire.bytes.count, by: max(1, wire.bytes.count / 300)) {
            let start = memory + size - length
            start.copyMemory(from: wire.bytes, byteCount: length)
            var parser = HeadParser()
            _ = parser.parse(UnsafeRawBufferPointer(start: start, count: length), fields: &fields, limits: HTTPLimits())
        }
    }

    @Test("A long line that comes byte by byte is searched once")
    func noQuadraticScan() throws {
        var limits = HTTPLimits()
        limits.requestLineBytes = 1_000_000
        limits.fieldBytes = 1_000_000
        let short = try timeByteByByte(length: 75_000, limits)
        let long = try timeByteByByte(length: 300_000, limits)
        // Four times the bytes: searched from the start for every byte, they take sixteen times as long.
        #expect(long < 8 * short, "\(short) µs for 75,000 bytes, \(long) µs for 300,000")
    }

    /// Microseconds of this thread's processor time for a target and a field of `length` bytes that come one by one.
    private func timeByteByByte(length: Int, _ limits: HTTPLimits) throws -> Int {
        let line = "GET /\(String(repeating: "a", count: length)) HTTP/1.1\r\n"
        let field = "Host: a\r\nX: \(String(repeating: "b", count: length))\r\n\r\n"
        let pieces = (line + field).utf8.map { [$0] }
        let begin = processorTime()
        let transcript = try MachineBench.transcript(pieces, limits: limits)
        #expect(transcript.count == 1)
        return processorTime() - begin
    }

    private func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }

    private func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        let interesting: [UInt8] = [0, 9, 10, 13, 32, 35, 37, 44, 48, 58, 63, 127, 200]
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) where bytes.count > 1 {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let byte = interesting.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            default: bytes.remove(at: place)
            }
        }
        return bytes
    }
}
