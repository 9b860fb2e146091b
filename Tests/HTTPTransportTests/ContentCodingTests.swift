import Testing

@testable import HTTPTransport

@Suite("Coded content of requests")
struct ContentCodingTests {
    @Test(
        "Content-Encoding is a list, spread over fields or not (RFC 9110 §8.4)",
        arguments: [
            ([], .identity), (["gzip"], .gzip), (["GZip"], .gzip), (["x-gzip"], .gzip), (["identity"], .identity),
            ([""], .identity), ([" , gzip,"], .gzip), (["identity", "gzip"], .gzip), (["br"], .unknown("br")),
            (["gzip, gzip"], .unknown("gzip, gzip")), (["gzip", "Deflate"], .unknown("gzip, deflate")),
        ] as [([String], ContentCoding)])
    func codings(fields: [String], coding: ContentCoding) throws {
        let bench = try MachineBench()
        var seen: ContentCoding?
        bench.inspect = { request in
            seen = request.contentCoding
            #expect(request.hasContentCoding == !fields.isEmpty)
        }
        let lines = fields.map { "Content-Encoding: \($0)\r\n" }.joined()
        bench.feed("POST / HTTP/1.1\r\nHost: a\r\n\(lines)Content-Length: 1\r\n\r\nx")
        #expect(seen == coding)
    }

    /// What gzip makes of a text.
    private static func coded(_ text: String) -> [UInt8] {
        var coder = GzipCoder(level: 6)
        var coded: [UInt8] = []
        Array(text.utf8).withUnsafeBytes { bytes in coder.compress(bytes) { coded = $0.map { Array($0) } ?? [] } }
        return coded
    }

    private static func decoded(_ bytes: [UInt8], atMost limit: Int) throws(GzipFailure) -> String {
        let decoded = try bytes.withUnsafeBufferPointer { (bytes) throws(GzipFailure) in
            try GzipDecoder.decoded(UnsafeRawBufferPointer(bytes), atMost: limit)
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static let long = String(repeating: "abcdefgh", count: 5_000)

    @Test("What was coded comes back, up to the very limit", arguments: [100, 4_096, 40_000])
    func roundTrip(count: Int) throws {
        let text = String(Self.long.prefix(count))
        #expect(try Self.decoded(Self.coded(text), atMost: count) == text)
        #expect(try Self.decoded(Self.coded(text), atMost: 1 << 20) == text)
        #expect(throws: GzipFailure.tooLarge) { try Self.decoded(Self.coded(text), atMost: count - 1) }
        #expect(throws: GzipFailure.tooLarge) { try Self.decoded(Self.coded(text), atMost: 0) }
    }

    @Test("Members one behind the other are one content, and bounded together")
    func members() throws {
        let member = Self.coded(Self.long)
        #expect(try Self.decoded(member + member, atMost: 80_000) == Self.long + Self.long)
        #expect(throws: GzipFailure.tooLarge) { try Self.decoded(member + member, atMost: 79_999) }
    }

    @Test("What is cut off, damaged, followed by something else or no gzip at all is malformed")
    func malformed() throws {
        let whole = Self.coded(Self.long)
        for count in 0..<whole.count {
            #expect(throws: GzipFailure.malformed, "\(count) bytes") {
                try Self.decoded(Array(whole[..<count]), atMost: 1 << 20)
            }
        }
        var wrongSum = whole
        wrongSum[whole.count - 5] ^= 1
        for bytes in [wrongSum, whole + [0], whole + whole.dropLast(), Array("{}".utf8)] {
            #expect(throws: GzipFailure.malformed) { try Self.decoded(bytes, atMost: 1 << 20) }
        }
    }
}
