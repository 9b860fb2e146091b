import Testing

@testable import HTTPTransport

@Suite("Chunked bodies at their bounds")
struct ChunkBoundTests {
    private static let head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func transcript(_ body: String, _ change: (inout HTTPLimits) -> Void) throws -> [String] {
        var limits = HTTPLimits()
        change(&limits)
        let bytes = Array((Self.head + body).utf8)
        let whole = try MachineBench.transcript([bytes], limits: limits)
        #expect(try MachineBench.transcript(bytes.map { [$0] }, limits: limits) == whole)
        return whole
    }

    @Test("The line with a chunk's size has as many bytes as it may have, its carriage return among them")
    func sizeLine() throws {
        for (length, isTaken) in [(19, true), (20, false)] {
            let line = "1;" + String(repeating: "e", count: length - 2)
            let outcome = try transcript(line + "\r\na\r\n0\r\n\r\n") { $0.chunkLineBytes = 20 }
            #expect(outcome == (isTaken ? ["POST /p|a"] : ["! malformedChunk"]))
        }
        // One that does not end is refused as soon as it is too long.
        for (length, outcome) in [(20, []), (21, ["! malformedChunk"])] {
            let line = "1;" + String(repeating: "e", count: length - 2)
            #expect(try transcript(line) { $0.chunkLineBytes = 20 } == outcome)
        }
    }

    @Test("Behind a chunk's data stands a line end of two bytes and nothing else")
    func dataEnd() throws {
        for end in ["\rX", "X\n", "\n\n", "\r\r", "\n\r", "\r0", "\0\0", "  "] {
            #expect(try transcript("1\r\na\(end)0\r\n\r\n") { _ in } == ["! malformedChunk"], "\(end.utf8.map(\.self))")
        }
        #expect(try transcript("1\r\na\r\n0\r\n\r\n") { _ in } == ["POST /p|a"])
    }

    @Test("Trailers are as many, and have as many bytes, as header fields may be and have")
    func trailers() throws {
        func body(_ count: Int) -> String {
            "0\r\n" + (0..<count).map { "X-\($0): 1\r\n" }.joined() + "\r\n"
        }
        for (count, isTaken) in [(0, true), (3, true), (4, false)] {
            let outcome = try transcript(body(count)) { $0.fieldCount = 3 }
            #expect(outcome == (isTaken ? ["POST /p|"] : ["! malformedTrailer"]), "\(count)")
        }
        // Each has eight bytes with its line end; the head of the request has less.
        for (bytes, isTaken) in [(80, true), (79, false)] {
            let outcome = try transcript(body(10)) { $0.fieldBytes = bytes }
            #expect(outcome == (isTaken ? ["POST /p|"] : ["! malformedTrailer"]), "\(bytes)")
        }
    }

    @Test("A body has as many bytes as it may have, over all its chunks, and is refused by the size that is too much")
    func bodyBytes() throws {
        for (last, outcome) in [("4\r\nabcd\r\n0\r\n\r\n", ["POST /p|abcdabcd"]), ("5\r\n", ["! bodyTooLarge"])] {
            #expect(try transcript("4\r\nabcd\r\n" + last) { $0.bodyBytes = 8 } == outcome)
        }
        for size in ["FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF", "10000000000000000000000000000000"] {
            let outcome = try transcript("\(size)\r\n") { $0.bodyBytes = 8 }
            #expect(outcome == ["! malformedChunk"] || outcome == ["! bodyTooLarge"])
        }
        #expect(try transcript("0000000000000001\r\na\r\n0\r\n\r\n") { $0.bodyBytes = 8 } == ["POST /p|a"])
    }
}
