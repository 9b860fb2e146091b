import Testing

@testable import HTTPTransport

@Suite("Request")
struct HTTPRequestTests {
    private func inspect(_ text: String, byteByByte: Bool, _ look: @escaping (borrowing HTTPRequest) -> Void) throws {
        let bench = try MachineBench()
        var isSeen = false
        bench.inspect = {
            isSeen = true
            look($0)
        }
        if byteByByte { for byte in text.utf8 { bench.feed([byte]) } } else { bench.feed(text) }
        #expect(isSeen)
    }

    @Test("Fields are found in any case, the first of several first, however the head came", arguments: [false, true])
    func fields(byteByByte: Bool) throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nx-two: 2\r\nX-ONE: 3\r\nX-Empty:\r\n\r\n"
        try inspect(text, byteByByte: byteByByte) { request in
            #expect(request.field("x-one").map { String(decoding: $0, as: UTF8.self) } == "1")
            #expect(request.field("X-TWO").map { String(decoding: $0, as: UTF8.self) } == "2")
            #expect(request.field("x-empty").map(\.count) == 0)
            #expect(request.field("x-three") == nil)
            #expect(request.fieldCount == 5)
            var values: [String] = []
            request.forEachField("x-one") { values.append(String(decoding: $0, as: UTF8.self)) }
            #expect(values == ["1", "3"])
            var names: [String] = []
            request.forEachField { name, _ in names.append(String(decoding: name, as: UTF8.self)) }
            #expect(names == ["Host", "X-One", "x-two", "X-ONE", "X-Empty"])
        }
    }

    @Test("Two fields that may stand once are found in one pass, and a second of either is told")
    func singleFields() throws {
        func found(_ fields: String) throws -> (first: String?, second: String?, areRepeated: Bool) {
            nonisolated(unsafe) var result: (String?, String?, Bool) = (nil, nil, false)
            try inspect("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", byteByByte: false) { request in
                let (first, second, areRepeated) = request.singleFields("X-One", "Longer")
                result = (
                    first.map { String(decoding: $0, as: UTF8.self) },
                    second.map { String(decoding: $0, as: UTF8.self) }, areRepeated
                )
            }
            return result
        }
        #expect(try found("") == (nil, nil, false))
        #expect(try found("x-one: 1\r\nAccept: */*\r\nLONGER:\r\n") == ("1", "", false))
        #expect(try found("longer: 2\r\n") == (nil, "2", false))
        #expect(try found("x-one: 1\r\nX-One: 1\r\n").areRepeated)
        #expect(try found("Longer: 1\r\nx-one: 1\r\nlonger: 2\r\n").areRepeated)
    }

    @Test("Methods are known by name, others keep theirs")
    func methods() throws {
        let known: [(String, HTTPMethod)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch), ("DELETE", .delete),
            ("OPTIONS", .options), ("TRACE", .trace), ("CONNECT", .connect), ("get", .other), ("PURGE", .other),
        ]
        for (name, method) in known {
            #expect(Array(name.utf8).withUnsafeBytes { HTTPMethod($0) } == method)
        }
    }

    @Test("Dates are written as RFC 9110 §5.6.7 has it")
    func date() {
        var line = DateLine()
        line.update(784_111_777_000)
        #expect(String(decoding: line.bytes, as: UTF8.self) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
        line.update(951_827_696_999)
        #expect(String(decoding: line.bytes, as: UTF8.self) == "Date: Tue, 29 Feb 2000 12:34:56 GMT\r\n")
    }

    @Test("A status has its phrase, an unusual one at least a status line")
    func status() throws {
        let bench = try MachineBench()
        var exchange = Exchange(connection: bench.connection, loop: bench.loop)
        exchange.respond(HTTPStatus(599), text: "x")
        #expect(bench.output.hasPrefix("HTTP/1.1 599 Unknown\r\nDate: "))
        #expect(bench.output.hasSuffix("\r\nContent-Length: 1\r\n\r\nx"))
        #expect("\(HTTPStatus.contentTooLarge.reason)" == "Content Too Large")
    }
}
