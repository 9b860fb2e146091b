import Bytes
import Testing

@testable import HTTPTransport

@Suite("Connection machine")
struct ConnectionMachineTests {
    @Test("Every case comes to what its rule says", arguments: WireCase.all)
    func whole(wire: WireCase) throws {
        #expect(try MachineBench.transcript([wire.bytes]) == wire.transcript)
    }

    @Test("Byte by byte comes to the same", arguments: WireCase.all)
    func byteByByte(wire: WireCase) throws {
        #expect(try MachineBench.transcript(wire.bytes.map { [$0] }) == wire.transcript)
    }

    @Test("Every split in two comes to the same", arguments: WireCase.all.filter { $0.bytes.count < 600 })
    func twoPieces(wire: WireCase) throws {
        for cut in 1..<wire.bytes.count {
            let pieces = [Array(wire.bytes[..<cut]), Array(wire.bytes[cut...])]
            #expect(try MachineBench.transcript(pieces) == wire.transcript, "cut at \(cut)")
        }
    }

    @Test("Random splits come to the same", arguments: WireCase.all)
    func randomPieces(wire: WireCase) throws {
        for seed in 0..<20 {
            #expect(
                try MachineBench.transcript(wire.bytes.split(seed: UInt64(seed))) == wire.transcript, "seed \(seed)")
        }
    }

    @Test("A part of a request hands nothing out, and is refused when the peer ends")
    func prefixes() throws {
        let bytes = Array("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
        for length in 1..<bytes.count {
            #expect(try MachineBench.transcript([Array(bytes[..<length])]).isEmpty)
            #expect(try MachineBench.transcript([Array(bytes[..<length])], ends: true) == ["! incompleteRequest"])
        }
        #expect(try MachineBench.transcript([bytes], ends: true) == ["POST /p|hello", "end"])
    }

    @Test("Two cases on one loop in turns do not see each other's fields")
    func fieldsOfSplitHeads() throws {
        let bench = try MachineBench()
        bench.feed("GET / HTTP/1.1\r\nHost: a\r\nX-First: 1\r\n")
        // Another connection of the loop uses the table meanwhile.
        bench.loop.pointee.fields.removeAll()
        bench.feed("X-Second: 2\r\n\r\n")
        var names: [String] = []
        for slice in bench.loop.pointee.fields.entries { names.append("\(slice.name.start)-\(slice.name.end)") }
        #expect(names == ["16-20", "25-32", "37-45"])
    }

    @Test("A client that waits for 100 gets it once, one that sends at once does not (RFC 9110 §10.1.1)")
    func expectContinue() throws {
        let head = "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        let waiting = try MachineBench()
        waiting.feed(head)
        #expect(waiting.transcript == ["100"])
        waiting.feed("he")
        waiting.feed("llo")
        #expect(waiting.transcript == ["100", "POST /p|hello"])
        #expect(try MachineBench.transcript([Array((head + "h").utf8), Array("ello".utf8)]) == ["POST /p|hello"])
    }

    @Test("A chunked body may wait for 100 as well")
    func expectContinueChunked() throws {
        let bench = try MachineBench()
        bench.feed("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        bench.feed("1\r\na\r\n0\r\n\r\n")
        #expect(bench.transcript == ["100", "POST /p|a"])
    }

    @Test("A deferred answer holds back the requests behind it")
    func deferral() throws {
        let bench = try MachineBench()
        bench.defers = true
        bench.feed("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(bench.transcript == ["GET /1|"])
        bench.answerDeferred()
        #expect(bench.transcript == ["GET /1|", "GET /2|"])
    }

    @Test("An answer that is awaited has its time, also while what was written before waits for the peer")
    func blockedResponse() {
        var timeouts = HTTPTimeouts()
        timeouts.handler = .seconds(3)
        timeouts.write = .seconds(20)
        let milliseconds = TimeoutsInMilliseconds(timeouts, bodyRate: 0, outputRate: 0)
        var machine = ConnectionMachine(now: 0, timeouts: milliseconds)
        var input = ByteBuffer()
        input.append("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        var fields = FieldTable(capacity: 16)
        #expect(machine.advance(&input, &fields, HTTPLimits(), milliseconds, now: 1000) == .admit)
        #expect(machine.admitted(as: nil, &input, &fields, HTTPLimits(), milliseconds, now: 1000) == .handle)
        machine.handed(&input)
        machine.deferred(milliseconds, within: nil, now: 1000)
        machine.block(took: 0, milliseconds, now: 1000)
        #expect(machine.deadline == 4000)
        #expect(machine.expire(milliseconds, now: 3999) == .none)
        #expect(machine.expire(milliseconds, now: 4000) == .handlerTimeout(.handler))
    }

    @Test("The body limit counts a chunked body's data, not its framing")
    func chunkedLimit() throws {
        var limits = HTTPLimits()
        limits.bodyBytes = 10
        let head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let small = String(repeating: "1\r\na\r\n", count: 10) + "0\r\n\r\n"
        #expect(try MachineBench.transcript([Array((head + small).utf8)], limits: limits) == ["POST /p|aaaaaaaaaa"])
        let large = String(repeating: "1\r\na\r\n", count: 11)
        #expect(try MachineBench.transcript([Array((head + large).utf8)], limits: limits) == ["! bodyTooLarge"])
    }
}
