import Testing

@testable import HTTPTransport

/// What happens to a connection, one thing after the other, and where it stands after each.
struct PhaseCase: Sendable, CustomTestStringConvertible {
    enum Input: Sendable {
        /// Bytes of the peer come.
        case bytes(String)
        /// The request at hand is answered.
        case answer
        /// Its answer begins, whose content comes in pieces.
        case stream
        /// The peer ends its side.
        case peerEnds
        /// What was written is sent, and our side is shut down.
        case shutDown
        /// The kernel takes nothing more of what is written, and then all of it.
        case block, unblock
    }

    let testDescription: String
    /// Whether each request is answered by its head.
    var isAnsweredByHead = false
    let steps: [(input: Input, phase: ConnectionPhase)]

    init(_ description: String, answersHeads: Bool = false, _ steps: [(Input, ConnectionPhase)]) {
        testDescription = description
        isAnsweredByHead = answersHeads
        self.steps = steps.map { (input: $0.0, phase: $0.1) }
    }
}

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let five = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
private let chunked = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

@Suite("Where a connection stands after each thing that happens to it")
struct ConnectionPhaseTests {
    static let requests = [
        PhaseCase(
            "a head in pieces",
            [
                (.bytes(""), .idle), (.bytes("\r\n"), .idle), (.bytes("\r"), .idle), (.bytes("\nG"), .head),
                (.bytes("ET / HTTP/1.1\r\nHost"), .head), (.bytes(": a\r\n"), .head), (.bytes("\r"), .head),
                (.bytes("\n"), .answering), (.answer, .idle),
            ]),
        PhaseCase(
            "a body with its length",
            [
                (.bytes(String(five.dropLast(1)) + "\r"), .head), (.bytes("\n"), .body), (.bytes("hell"), .body),
                (.bytes("o"), .answering), (.answer, .idle),
            ]),
        PhaseCase("a body with its head", [(.bytes(five + "hello"), .answering), (.answer, .idle)]),
        PhaseCase(
            "a body of nothing",
            [(.bytes(five.replacing("5", with: "0")), .answering), (.answer, .idle)]),
        PhaseCase(
            "chunks with a trailer",
            [
                (.bytes(chunked), .chunks), (.bytes("2"), .chunks), (.bytes("\r\nh"), .chunks),
                (.bytes("i\r\n"), .chunks), (.bytes("0\r\n"), .chunks), (.bytes("X-T: 1\r\n"), .chunks),
                (.bytes("\r\n"), .answering), (.answer, .idle),
            ]),
        PhaseCase(
            "requests behind one another",
            [
                (.bytes(get + get + "GE"), .answering), (.bytes("T"), .answering), (.answer, .answering),
                (.answer, .head), (.bytes(" / HTTP/1.1\r\nHost: a\r\n\r\n"), .answering), (.answer, .idle),
            ]),
        PhaseCase(
            "a request behind a body",
            [(.bytes(five + "hel"), .body), (.bytes("lo" + five + "h"), .answering), (.answer, .body)]),
        PhaseCase(
            "a client that waits for 100",
            [
                (.bytes(five.replacing("\r\n\r\n", with: "\r\nExpect: 100-continue\r\n\r\n")), .body),
                (.bytes("hello"), .answering), (.answer, .idle),
            ]),
        PhaseCase(
            "a stream",
            [
                (.bytes(get + get), .answering), (.stream, .streaming), (.bytes("G"), .streaming),
                (.answer, .answering), (.answer, .head),
            ]),
    ]

    static let ends = [
        PhaseCase(
            "a last request",
            [
                (.bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get), .answering),
                (.answer, .closing), (.bytes(get), .closing), (.shutDown, .lingering), (.bytes(get), .lingering),
                (.peerEnds, .lingering),
            ]),
        PhaseCase("a head that is none", [(.bytes("GE T\r\n"), .closing), (.bytes(get), .closing)]),
        PhaseCase("chunks that are none", [(.bytes(chunked + "1"), .chunks), (.bytes("\r\nxy"), .closing)]),
        PhaseCase("a body that is too large", [(.bytes(five.replacing("5", with: "9999999999")), .closing)]),
        PhaseCase("a peer that leaves between requests", [(.peerEnds, .closing), (.shutDown, .lingering)]),
        PhaseCase("a peer that leaves behind an empty line", [(.bytes("\r\n\r"), .idle), (.peerEnds, .closing)]),
        PhaseCase("a peer that leaves in a head", [(.bytes("GET"), .head), (.peerEnds, .closing)]),
        PhaseCase("a peer that leaves in a body", [(.bytes(five + "h"), .body), (.peerEnds, .closing)]),
        PhaseCase("a peer that leaves in chunks", [(.bytes(chunked + "1\r\n"), .chunks), (.peerEnds, .closing)]),
        PhaseCase(
            "a peer that asks and ends its side",
            [(.bytes(get + get), .answering), (.peerEnds, .answering), (.answer, .answering), (.answer, .closing)]),
        PhaseCase(
            "a peer that ends its side behind a part of the next request",
            [(.bytes(get + "GE"), .answering), (.peerEnds, .answering), (.answer, .closing)]),
        PhaseCase(
            "a peer that ends its side while its answer streams",
            [(.bytes(get), .answering), (.stream, .streaming), (.peerEnds, .streaming), (.answer, .closing)]),
        PhaseCase(
            "a peer that does not take what is written",
            [
                (.bytes("GE"), .head), (.block, .head), (.unblock, .head),
                (.bytes("T / HTTP/1.1\r\nHost: a\r\n\r\n"), .answering), (.block, .answering), (.answer, .idle),
                (.unblock, .idle), (.bytes(five), .body), (.block, .body), (.unblock, .body),
            ]),
    ]

    static let answersByHead = [
        PhaseCase(
            "while the body is under way: the rest of it is dropped", answersHeads: true,
            [
                (.bytes(five + "he"), .idle), (.bytes("ll"), .idle), (.bytes("oG"), .head),
                (.bytes("ET / HTTP/1.1\r\nHost: a\r\n\r\n"), .idle),
            ]),
        PhaseCase(
            "with the body there", answersHeads: true, [(.bytes(five + "hello"), .idle), (.bytes("P"), .head)]),
        PhaseCase(
            "before a body of 64 KiB", answersHeads: true,
            [
                (.bytes(five.replacing("5", with: "65536")), .idle),
                (.bytes(String(repeating: "x", count: 65_536)), .idle), (.bytes("G"), .head),
            ]),
        PhaseCase(
            "before a body of more", answersHeads: true, [(.bytes(five.replacing("5", with: "65537")), .closing)]),
        PhaseCase("before chunks, whose end nobody knows", answersHeads: true, [(.bytes(chunked), .closing)]),
        PhaseCase(
            "before a body that may never come", answersHeads: true,
            [(.bytes(five.replacing("\r\n\r\n", with: "\r\nExpect: 100-continue\r\n\r\n")), .closing)]),
        PhaseCase(
            "and the peer leaves in the body", answersHeads: true,
            [(.bytes(five + "he"), .idle), (.peerEnds, .closing)]),
    ]

    private func apply(_ input: PhaseCase.Input, to bench: MachineBench) {
        switch input {
        case .bytes(let text): bench.feed(text)
        case .answer: bench.answerDeferred()
        case .stream: bench.connection.pointee.machine.streams()
        case .peerEnds: bench.end()
        case .shutDown: bench.connection.pointee.machine.linger(bench.loop.pointee.timeouts, now: 0)
        case .block: bench.connection.pointee.machine.block(took: 0, bench.loop.pointee.timeouts, now: 0)
        case .unblock: bench.connection.pointee.machine.unblock(bench.loop.pointee.timeouts, now: 0)
        }
    }

    @Test("Requests, ends of connections, and answers by the head", arguments: requests + ends + answersByHead)
    func phases(_ phaseCase: PhaseCase) throws {
        let bench = try MachineBench()
        bench.defers = true
        bench.refuses = { _ in phaseCase.isAnsweredByHead }
        for (number, step) in phaseCase.steps.enumerated() {
            apply(step.input, to: bench)
            #expect(bench.machine.phase == step.phase, "step \(number), \(step.input)")
            // Nothing is read that nobody could take.
            if bench.machine.phase == .answering || bench.machine.phase == .streaming {
                #expect(!bench.machine.wantsInput)
            }
        }
    }

    @Test("The handler decides on a request while its connection is admitting, and gets it while it is answering")
    func handlers() throws {
        let bench = try MachineBench()
        var phases: [ConnectionPhase] = []
        bench.refuses = { [unowned bench] _ in
            phases.append(bench.machine.phase)
            return false
        }
        bench.inspect = { [unowned bench] _ in phases.append(bench.machine.phase) }
        bench.feed(five + "he")
        #expect(phases == [.admitting])
        bench.feed("llo")
        #expect(phases == [.admitting, .answering])
        // One that is answered at once is over with its answer.
        #expect(bench.machine.phase == .idle)
    }

    /// What has lasted for so many milliseconds since the last input comes to an end, and where the connection stands
    /// then and behind the answer that is written for it.
    static let timeOuts: [(PhaseCase.Input?, PhaseCase.Input?, Int64, ConnectionMachine.Expiry, [ConnectionPhase])] = [
        (nil, nil, 5_000, .close(.idle), [.idle]),
        (.bytes("GE"), nil, 1_000, .requestTimeout(.head), [.answering, .closing]),
        (.bytes(five + "h"), nil, 2_000, .requestTimeout(.body), [.answering, .closing]),
        (.bytes(chunked + "1\r\n"), nil, 2_000, .requestTimeout(.body), [.answering, .closing]),
        (.bytes(get), nil, 3_000, .handlerTimeout(.handler), [.answering, .idle]),
        (.bytes(get), .answer, 5_000, .close(.idle), [.idle]),
        (.bytes(get), .block, 3_000, .handlerTimeout(.handler), [.answering, .idle]),
        (.bytes("GE"), .block, 4_000, .close(.write), [.head]),
        (.bytes("GE T\r\n"), .shutDown, 500, .close(nil), [.lingering]),
    ]

    @Test("Each phase has its own time", arguments: timeOuts.indices)
    func timeOut(index: Int) throws {
        var timeouts = HTTPTimeouts()
        (timeouts.head, timeouts.body, timeouts.handler) = (.seconds(1), .seconds(2), .seconds(3))
        (timeouts.write, timeouts.idle, timeouts.request) = (.seconds(4), .seconds(5), .seconds(10))
        timeouts.linger = .milliseconds(500)
        var limits = HTTPLimits()
        (limits.bodyRate, limits.outputRate) = (0, 0)
        let bench = try MachineBench(limits: limits, timeouts: timeouts)
        bench.defers = true
        let (first, second, milliseconds, expiry, phases) = Self.timeOuts[index]
        for input in [first, second] { if let input { apply(input, to: bench) } }
        let before = bench.machine.phase
        #expect(bench.tick(milliseconds - 1) == .none)
        #expect(bench.machine.phase == before)
        #expect(bench.tick(milliseconds) == expiry)
        #expect(bench.machine.phase == phases[0])
        guard phases.count > 1 else { return }
        bench.answerDeferred()
        #expect(bench.machine.phase == phases[1])
    }

    @Test("A request that drips has its time as a whole; a stream, and what is to be sent last, have none of these")
    func wholeRequest() throws {
        var timeouts = HTTPTimeouts()
        (timeouts.head, timeouts.request) = (.seconds(20), .seconds(10))
        let bench = try MachineBench(timeouts: timeouts)
        for time in 0..<10 { bench.feed("G", at: Int64(time) * 1_000) }
        #expect(bench.tick(9_999) == .none)
        #expect(bench.tick(10_000) == .requestTimeout(.request))
        #expect(bench.machine.phase == .answering)
        bench.answerDeferred()
        #expect(bench.machine.phase == .closing)
        #expect(bench.tick(1 << 40) == .none)
        let streaming = try MachineBench(timeouts: timeouts)
        streaming.defers = true
        streaming.feed(get)
        apply(.stream, to: streaming)
        #expect(streaming.tick(1 << 40) == .none)
        #expect(streaming.machine.phase == .streaming)
    }
}
