import Testing

@testable import HTTPTransport

/// Milliseconds on the machine's clock, which starts at 0; the time-outs are the defaults.
@Suite("Time-outs")
struct TimeoutTests {
    private let head = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"

    /// Without a minimum rate.
    private var unhurried: HTTPLimits {
        var limits = HTTPLimits()
        limits.bodyRate = 0
        return limits
    }

    @Test("A body that comes at less than 240 bytes a second is given 5 s to begin and then ended")
    func rate() throws {
        let bench = try MachineBench()
        bench.feed("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", at: 1000)
        for second in 1...6 { bench.feed("x", at: 1000 + Int64(second) * 1000 - 1) }
        #expect(bench.tick(6999) == .none)
        #expect(bench.tick(7000) == .requestTimeout(.rate))
        #expect(!bench.machine.keepsAlive)
    }

    @Test("A body that comes fast enough on average may pause", arguments: [false, true])
    func rateKept(isChunked: Bool) throws {
        let bench = try MachineBench()
        let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000"
        bench.feed("POST /p HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n", at: 0)
        bench.feed((isChunked ? "3e8\r\n" : "") + String(repeating: "x", count: 1000), at: 10)
        // 1,000 bytes are good for 4.17 s after the grace.
        for second in 6...9 { #expect(bench.tick(Int64(second) * 1000) == .none) }
        #expect(bench.tick(10_000) == .requestTimeout(.rate))
    }

    @Test("A handshake has the time of a head, and then the connection may be idle")
    func handshake() throws {
        let bench = try MachineBench()
        let timeouts = bench.loop.pointee.timeouts
        bench.connection.pointee.machine.handshakes(timeouts, now: 0)
        #expect(bench.tick(9999) == .none)
        #expect(bench.tick(10_000) == .close(.handshake))
        bench.connection.pointee.machine.secured(timeouts, now: 5000)
        #expect(bench.tick(79_999) == .none)
        #expect(bench.tick(80_000) == .close(.idle))
    }

    @Test("A connection without a request is closed after 75 s")
    func idle() throws {
        let bench = try MachineBench()
        #expect(bench.tick(74_999) == .none)
        #expect(bench.tick(75_000) == .close(.idle))
    }

    @Test("The idle time begins anew with every answer")
    func idleAgain() throws {
        let bench = try MachineBench()
        bench.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", at: 20_000)
        #expect(bench.tick(94_999) == .none)
        #expect(bench.tick(95_000) == .close(.idle))
    }

    @Test("A head gets 10 s from its first byte, however it drips")
    func head10() throws {
        let bench = try MachineBench()
        for second in 0..<10 { bench.feed(String(head.dropFirst(second).prefix(1)), at: 5000 + Int64(second) * 1000) }
        #expect(bench.tick(14_999) == .none)
        #expect(bench.tick(15_000) == .requestTimeout(.head))
        #expect(!bench.machine.keepsAlive)
    }

    @Test("Empty lines do not begin a request")
    func emptyLines() throws {
        let bench = try MachineBench()
        for second in 1..<30 { bench.feed("\r\n", at: Int64(second) * 1000) }
        #expect(bench.tick(75_000) == .close(.idle))
    }

    @Test("A body gets 20 s in all, however it drips")
    func body20() throws {
        let bench = try MachineBench(limits: unhurried)
        bench.feed(head, at: 1000)
        for second in 1..<5 { bench.feed("x", at: Int64(second) * 4000) }
        #expect(bench.tick(20_999) == .none)
        #expect(bench.tick(21_000) == .requestTimeout(.body))
    }

    @Test("A whole request gets 29 s, its head's time included")
    func request29() throws {
        let bench = try MachineBench(limits: unhurried)
        bench.feed("POST", at: 0)
        bench.feed(String(head.dropFirst(4)), at: 9500)
        #expect(bench.tick(28_999) == .none)
        #expect(bench.tick(29_000) == .requestTimeout(.request))
    }

    @Test("A deferred answer gets 15 s, then 503")
    func handler15() throws {
        let bench = try MachineBench()
        bench.defers = true
        bench.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", at: 100)
        #expect(bench.tick(15_099) == .none)
        #expect(bench.tick(15_100) == .handlerTimeout(.handler))
        #expect(bench.machine.keepsAlive)
    }

    @Test("The request's own time ends a deferred answer as well")
    func handlerWithinRequest() throws {
        let bench = try MachineBench()
        bench.defers = true
        bench.feed(head, at: 0)
        bench.feed("hello", at: 19_000)
        #expect(bench.tick(28_999) == .none)
        #expect(bench.tick(29_000) == .handlerTimeout(.request))
    }

    @Test("A peer that takes nothing is given 30 s from the last byte it took")
    func write30() throws {
        let bench = try MachineBench()
        let timeouts = bench.loop.pointee.timeouts
        bench.connection.pointee.machine.block(took: 100_000, timeouts, now: 1000)
        bench.connection.pointee.machine.block(took: 0, timeouts, now: 5000)
        #expect(bench.tick(30_999) == .none)
        bench.connection.pointee.machine.block(took: 100_000, timeouts, now: 30_999)
        #expect(bench.tick(60_998) == .none)
        #expect(bench.tick(60_999) == .close(.write))
        // Trying again is not taking.
        let other = try MachineBench()
        other.connection.pointee.machine.block(took: 100_000, timeouts, now: 1000)
        for second in 2...30 { other.connection.pointee.machine.block(took: 0, timeouts, now: Int64(second) * 1000) }
        #expect(other.tick(30_999) == .none)
        #expect(other.tick(31_000) == .close(.write))
    }

    @Test("A peer that takes less than 1 KiB a second, after a grace of 5 s, is cut off")
    func slowReader() throws {
        let bench = try MachineBench()
        let timeouts = bench.loop.pointee.timeouts
        bench.connection.pointee.machine.block(took: 10, timeouts, now: 0)
        for second in 1...5 {
            #expect(bench.tick(Int64(second) * 1000) == .none)
            bench.connection.pointee.machine.block(took: 10, timeouts, now: Int64(second) * 1000)
        }
        #expect(bench.tick(6_000) == .close(.taking))
    }

    @Test("What the kernel has for a peer was not taken by it")
    func untaken() throws {
        let bench = try MachineBench()
        bench.connection.pointee.machine.block(took: 2_500_000, bench.loop.pointee.timeouts, now: 0)
        #expect(bench.tick(6_000, untaken: 2_490_000) == .none)
        #expect(bench.tick(20_000, untaken: 2_490_000) == .close(.taking))
    }

    @Test("A peer that takes enough is not, however long it takes")
    func steadyReader() throws {
        let bench = try MachineBench()
        let timeouts = bench.loop.pointee.timeouts
        for second in 0..<600 {
            bench.connection.pointee.machine.block(took: 1100, timeouts, now: Int64(second) * 1000)
            #expect(bench.tick(Int64(second) * 1000 + 999) == .none)
        }
        bench.connection.pointee.machine.unblock(timeouts, now: 600_000)
        #expect(bench.tick(600_001) == .none)
    }

    @Test("A request that waited behind blocked output is not blamed for it")
    func bodyBehindBlockedOutput() throws {
        let bench = try MachineBench()
        let timeouts = bench.loop.pointee.timeouts
        bench.feed(head, at: 0)
        bench.connection.pointee.machine.block(took: 100_000, timeouts, now: 0)
        #expect(bench.tick(25_000) == .none)
        bench.connection.pointee.machine.unblock(timeouts, now: 25_000)
        #expect(bench.tick(28_999) == .none)
    }

    @Test("After the last answer the peer gets 2 s to close")
    func linger() throws {
        let bench = try MachineBench()
        bench.connection.pointee.machine.linger(bench.loop.pointee.timeouts, now: 1000)
        #expect(bench.tick(2999) == .none)
        #expect(bench.tick(3000) == .close(nil))
    }
}
