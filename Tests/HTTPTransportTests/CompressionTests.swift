import Bytes
import CZlib
import Glibc
import TestSupport
import Testing

@testable import HTTPTransport

@Suite("Compression")
struct CompressionTests {
    @Test(
        "Accept-Encoding is a list with weights (RFC 9110 §12.5.3)",
        arguments: [
            ("gzip", true, false), ("", false, false), ("GZIP", true, false), ("x-gzip", true, false),
            ("deflate, gzip;q=0.5", true, false), ("gzip;q=0", false, false), ("gzip; q=0.000", false, false),
            ("*", true, false), ("*;q=0", false, true), ("gzip, *;q=0", true, true), ("identity", false, false),
            ("gzip;q=0.5, identity;q=0.8", false, false), ("gzip;q=0.8, identity;q=0.5", true, false),
            ("identity;q=0", false, true), ("identity;q=0, gzip", true, true), ("br;q=1.0", false, false),
            ("gzip;q=0.5, identity;q=0.5", true, false), ("gzip, identity", true, false),
            ("gzip;q=0.499, identity;q=0.5", false, false), ("*;q=0.3, identity;q=0.3", true, false),
            ("gzip;q=1.001", false, false), ("gzip;q=1.1", false, false), ("gzip;q=1.999", false, false),
            ("gzip;q=2", false, false), ("gzip;q=x", false, false), ("gzip;q=0.1234", false, false),
            (",, gzip", true, false),
            ("gzip ;q=1", true, false), ("*;q=0.5, gzip;q=0", false, false), ("gzip;Q=1.000", true, false),
        ])
    func acceptedCodings(value: String, prefersGzip: Bool, refusesIdentity: Bool) {
        var accepted = AcceptedCodings()
        Array(value.utf8).withUnsafeBytes { accepted.note($0) }
        #expect(accepted.prefersGzip == prefersGzip)
        #expect(accepted.refusesIdentity == refusesIdentity)
    }

    /// The answer's head, and its body after whatever coding it has.
    private func answer(
        _ accept: String?, method: String = "GET", type: StaticString = "application/json", body: String,
        tag: StaticString? = nil
    ) throws -> (head: String, body: String) {
        let bench = try MachineBench()
        let field = accept.map { "Accept-Encoding: \($0)\r\n" } ?? ""
        bench.answer = { exchange in
            exchange.respond(.ok, contentType: type, body: Array(body.utf8)) { if let tag { $0.add("ETag", tag) } }
        }
        bench.feed("\(method) / HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
        let output = Array(bench.connection.pointee.output.readable)
        let end = try #require(output.indices.first { output[$0...].starts(with: [13, 10, 13, 10]) })
        let content = Array(output[(end + 4)...])
        let head = String(decoding: output[..<(end + 2)], as: UTF8.self)
        #expect(method == "HEAD" || head.contains("Content-Length: \(content.count)\r\n"))
        let isCompressed = head.contains("Content-Encoding: gzip\r\n") && method != "HEAD"
        return (head, String(decoding: isCompressed ? try inflated(content) : content, as: UTF8.self))
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        #expect(inflateInit2_(&stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { inflateEnd(&stream) }
        var bytes = bytes
        var output = [UInt8](repeating: 0, count: 1 << 20)
        let size = output.count
        return bytes.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { room in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(size)
                #expect(inflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Array(room.prefix(size - Int(stream.avail_out)))
            }
        }
    }

    private let long = String(repeating: "{\"key\": 1}, ", count: 200)

    @Test("Long text is compressed for who asks, again and again, and Vary says so")
    func compressed() throws {
        for _ in 0..<3 {
            let (head, body) = try answer("gzip", body: long)
            #expect(head.contains("Content-Encoding: gzip\r\n") && head.contains("Vary: Accept-Encoding\r\n"))
            #expect(body == long)
        }
    }

    @Test("Who does not ask gets it as it is, and Vary all the same", arguments: [nil, "br", "gzip;q=0"] as [String?])
    func unasked(accept: String?) throws {
        let (head, body) = try answer(accept, body: long)
        #expect(!head.contains("Content-Encoding") && head.contains("Vary: Accept-Encoding\r\n"))
        #expect(body == long)
    }

    @Test("What is tiny, no text, or has a strong entity tag stays as it is")
    func excluded() throws {
        for (type, body, tag) in [
            ("application/json", "{}", nil), ("image/png", long, nil), ("application/json", long, "\"1\""),
        ] as [(StaticString, String, StaticString?)] {
            let (head, content) = try answer("gzip", type: type, body: body, tag: tag)
            #expect(!head.contains("Content-Encoding") && !head.contains("Vary") && content == body)
        }
        #expect(try answer("gzip", body: long, tag: "W/\"1\"").head.contains("Content-Encoding: gzip\r\n"))
    }

    @Test("Who takes nothing else gets even tiny content compressed, if that makes it smaller")
    func identityRefused() throws {
        let small = String(repeating: "a", count: 200)
        let (head, body) = try answer("gzip, identity;q=0", body: small)
        #expect(head.contains("Content-Encoding: gzip\r\n") && body == small)
        #expect(try answer("gzip, identity;q=0", body: "a").body == "a")
    }

    @Test("Who takes no coding at all is told so, when only asking (RFC 9110 §12.5.3)")
    func everythingRefused() throws {
        for accept in ["identity;q=0", "*;q=0", "br, *;q=0", "gzip;q=0, identity;q=0"] {
            #expect(try answer(accept, body: long).head.hasPrefix("HTTP/1.1 406 Not Acceptable\r\n"))
            #expect(try answer(accept, method: "POST", body: long).body == long)
        }
        #expect(try answer("identity;q=0", method: "HEAD", body: long).head.hasPrefix("HTTP/1.1 406 "))
    }

    @Test("HEAD has the fields of GET (RFC 9110 §9.3.2)")
    func head() throws {
        let (get, _) = try answer("gzip", body: long)
        let (head, body) = try answer("gzip", method: "HEAD", body: long)
        // But for the name of the request, which is another's.
        let fields = [get, head].map { $0.split(separator: "\r\n").filter { !$0.hasPrefix("X-Request-Id: ") } }
        #expect(fields[0] == fields[1] && body.isEmpty)
    }

    @Test("What does not get smaller stays as it is")
    func incompressible() throws {
        var generator = SeededGenerator(seed: 1)
        let noise = String(
            (0..<2000).map { _ in Character(UnicodeScalar(UInt32.random(in: 0x4E00...0x9FFF, using: &generator))!) })
        var coder = GzipCoder(level: 1)
        let bytes = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes.withUnsafeBytes { coder.compress($0) { #expect($0 == nil) } }
        #expect(try answer("gzip", body: noise).body == noise)
    }
}
