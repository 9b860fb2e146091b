import Bytes
import CFuzzer

@testable import HTTPTransport

/// A loop without sockets that connections follow one another on.
final class Wire {
    private let loop: UnsafeMutablePointer<LoopState>
    private var lines: [String] = []

    // libFuzzer calls on one thread only.

    /// With the limits of servers.
    nonisolated(unsafe) static let roomy = Wire(HTTPLimits())

    /// With limits that short inputs reach.
    nonisolated(unsafe) static let tight: Wire = {
        var limits = HTTPLimits()
        limits.requestLineBytes = 64
        limits.fieldBytes = 128
        limits.fieldCount = 6
        limits.bodyBytes = 40
        limits.chunkLineBytes = 16
        return Wire(limits)
    }()

    init(_ limits: HTTPLimits) {
        var configuration = HTTPServerConfiguration(addresses: [.unix(path: "fuzz")], loops: 1)
        configuration.limits = limits
        configuration.trustedProxies = ["10.0.0.0/8", "fd00::/8"].compactMap { AddressRange($0) }
        configuration.compression.minimumBytes = 16
        guard let bell = try? Bell() else { fatalError("There is no descriptor for an eventfd") }
        loop = .allocate(capacity: 1)
        loop.initialize(
            to: LoopState(
                index: 0, configuration: configuration, mailbox: Mailbox(bell: bell), counters: LoopCounters(),
                addresses: AddressCounts(limit: 0), uploads: Permits(limit: 4), largeResponses: Permits(limit: 2)))
    }

    /// What `pieces` come to, the end of the peer's side behind them.
    func transcript(_ pieces: [ArraySlice<UInt8>]) -> [String] {
        lines = []
        let connection = loop.pointee.table.take(descriptor: 0)
        connection.pointee.peer = PeerAddress("10.0.0.1") ?? .unix
        for piece in pieces {
            piece.withUnsafeBytes { connection.pointee.input.append($0) }
            goOn(connection)
        }
        connection.pointee.machine.endInput()
        goOn(connection)
        loop.pointee.table.release(connection)
        return lines
    }

    private func goOn(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        while true {
            // What was not read yet is out of bounds.
            let room = connection.pointee.input.writable
            if let start = room.baseAddress { cfuzzer_forbid(start, room.count) }
            var step = connection.pointee.machine.advance(
                &connection.pointee.input, &loop.pointee.fields, loop.pointee.limits, loop.pointee.timeouts, now: 0)
            if step == .admit {
                step = connection.pointee.machine.admitted(
                    as: nil, &connection.pointee.input, &loop.pointee.fields, loop.pointee.limits,
                    loop.pointee.timeouts, now: 0)
            }
            if step == .handle { handle(connection) }
            if let start = room.baseAddress { cfuzzer_allow(start, room.count) }
            switch step {
            case .admit: fatalError("What was admitted goes on")
            case .wait: return
            case .finish: return lines.append("end")
            // Whether it is due depends on what has come by then.
            case .sendContinue: break
            case .refuse(let fault):
                lines.append("! \(fault)")
                connection.pointee.machine.answered(loop.pointee.timeouts, now: 0)
            case .handle:
                connection.pointee.machine.handed(&connection.pointee.input)
                connection.pointee.machine.answered(loop.pointee.timeouts, now: 0)
                if connection.pointee.machine.phase == .closing { lines.append("close") }
            }
        }
    }

    /// Writes down everything that a handler could see, and answers.
    private func handle(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        let request = connection.pointee.request(
            loop.pointee.fields.entries, contentLength: connection.pointee.machine.bodyLength)
        var line = "\(text(request.methodName)) \(text(request.path)) \(request.query.map(text) ?? "-")"
        request.forEachField { line += " \(text($0)):\(text($1))" }
        let validators = Validators(entityTag: "\"1\"", lastModified: HTTPDate(milliseconds: 784_111_777_000))
        let now = HTTPDate(milliseconds: 1_790_000_000_000)
        var exchange = Exchange(connection: connection, loop: loop)
        line += " | \(text(request.body)) | \(exchange.client(of: request))"
        line += " \(request.isConditional ? request.precondition(validators, now: now) : .proceed)"
        exchange.respond(.ok, contentType: "text/plain", body: request.body)
        line += " \(connection.pointee.output.count)"
        connection.pointee.output.consume(connection.pointee.output.count)
        lines.append(line)
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
