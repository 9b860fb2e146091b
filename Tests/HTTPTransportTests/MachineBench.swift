import Bytes

@testable import HTTPTransport

/// One connection without a socket: bytes and time go in, a transcript of what was decided comes out.
///
/// The shell of `EventLoop` in a few lines. Every whole request is written down as `METHOD path?query|body`, a refused
/// one as `! fault`, an interim answer as `100`, and the end of the connection as `end`.
final class MachineBench {
    let loop: UnsafeMutablePointer<LoopState>
    let connection: UnsafeMutablePointer<HTTPConnection>
    private(set) var transcript: [String] = []
    /// Whether requests are deferred instead of answered.
    var defers = false
    /// Answers each request that is not deferred.
    var answer: (inout Exchange) -> Void = { $0.respond(.ok, text: "ok") }
    /// Looks at each request.
    var inspect: (borrowing HTTPRequest) -> Void = { _ in }

    /// Whether a request is answered by its head.
    var refuses: (borrowing HTTPRequest) -> Bool = { _ in false }

    init(limits: HTTPLimits = HTTPLimits(), timeouts: HTTPTimeouts = HTTPTimeouts()) throws {
        var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)], loops: 1)
        configuration.limits = limits
        configuration.timeouts = timeouts
        loop = .allocate(capacity: 1)
        loop.initialize(
            to: LoopState(
                index: 0, configuration: configuration, mailbox: Mailbox(bell: try Bell()), counters: LoopCounters(),
                addresses: AddressCounts(limit: 0), uploads: Permits(limit: 4), largeResponses: Permits(limit: 2)))
        loop.pointee.monotonic = 0
        connection = loop.pointee.table.take(descriptor: 0)
        connection.pointee.machine = ConnectionMachine(now: 0, timeouts: loop.pointee.timeouts)
    }

    deinit {
        loop.deinitialize(count: 1)
        loop.deallocate()
    }

    var machine: ConnectionMachine { connection.pointee.machine }
    var output: String { String(decoding: connection.pointee.output.readable, as: UTF8.self) }

    /// The transcript of `pieces`, and then of the peer's end when `ends`.
    static func transcript(_ pieces: [[UInt8]], ends: Bool = false, limits: HTTPLimits = HTTPLimits()) throws
        -> [String]
    {
        let bench = try MachineBench(limits: limits)
        for piece in pieces { bench.feed(piece) }
        if ends { bench.end() }
        return bench.transcript
    }

    func feed(_ bytes: [UInt8], at time: Int64? = nil) {
        if let time { loop.pointee.monotonic = time }
        bytes.withUnsafeBytes { connection.pointee.input.append($0) }
        goOn()
    }

    func feed(_ text: String, at time: Int64? = nil) {
        feed(Array(text.utf8), at: time)
    }

    func end() {
        connection.pointee.machine.endInput()
        goOn()
    }

    func tick(_ time: Int64, untaken: Int = 0) -> ConnectionMachine.Expiry {
        loop.pointee.monotonic = time
        return connection.pointee.machine.expire(loop.pointee.timeouts, now: time, untaken: untaken)
    }

    func answerDeferred() {
        connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
        goOn()
    }

    private func goOn() {
        while true {
            var step = connection.pointee.machine.advance(
                &connection.pointee.input, &loop.pointee.fields, loop.pointee.limits, loop.pointee.timeouts,
                now: loop.pointee.monotonic)
            if step == .admit {
                guard let next = admit() else { continue }
                step = next
            }
            switch step {
            case .admit: preconditionFailure("what was admitted goes on")
            case .wait: return
            case .finish:
                transcript.append("end")
                return
            case .sendContinue: transcript.append("100")
            case .refuse(let fault):
                transcript.append("! \(fault)")
                connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
            case .handle: handle()
            }
        }
    }

    /// Decides on the request whose head is there; nil when it is answered by that.
    private func admit() -> ConnectionMachine.Step? {
        let request = connection.pointee.request(loop.pointee.fields.entries, contentLength: 0)
        let isUpload = request.path.hasSameBytes(as: "/up")
        guard refuses(request) else {
            return connection.pointee.machine.admitted(
                as: isUpload ? TestHandler.upload : nil, &connection.pointee.input, &loop.pointee.fields,
                loop.pointee.limits, loop.pointee.timeouts, now: loop.pointee.monotonic)
        }
        if !connection.pointee.machine.canSkipContent(connection.pointee.input) {
            connection.pointee.machine.keepsAlive = false
        }
        transcript.append("refused " + describe(request))
        connection.pointee.machine.handedHead(&connection.pointee.input)
        connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
        if connection.pointee.machine.phase == .closing { transcript.append("end") }
        return nil
    }

    private func handle() {
        let request = connection.pointee.request(
            loop.pointee.fields.entries, contentLength: connection.pointee.machine.bodyLength)
        transcript.append(describe(request))
        inspect(request)
        if !defers {
            var exchange = Exchange(connection: connection, loop: loop)
            answer(&exchange)
        }
        connection.pointee.machine.handed(&connection.pointee.input)
        if defers {
            connection.pointee.machine.deferred(loop.pointee.timeouts, within: nil, now: loop.pointee.monotonic)
        } else {
            connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
            if connection.pointee.machine.phase == .closing { transcript.append("end") }
        }
    }
}

/// `METHOD path?query|body`.
func describe(_ request: borrowing HTTPRequest) -> String {
    let query = request.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
    let body = String(decoding: request.body, as: UTF8.self)
    let path = String(decoding: request.path, as: UTF8.self)
    return "\(String(decoding: request.methodName, as: UTF8.self)) \(path)\(query)|\(body)"
}
