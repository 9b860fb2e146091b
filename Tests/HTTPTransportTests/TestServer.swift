import Bytes
import Dispatch
import Glibc
import Platform
import Synchronization
import TestSupport

@testable import HTTPTransport

/// A server for tests on a port of the system's choice.
final class TestServer: Sendable {
    let server: HTTPServer<Int>

    var port: Int { server.port }

    /// Shared by all tests that need nothing special.
    static let shared = Result { try TestServer() }

    init(
        addresses: [SocketAddress] = [.tcp(host: "127.0.0.1", port: 0)], loops: Int = 2,
        _ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = HTTPServerConfiguration(addresses: addresses, loops: loops)
        adjust(&configuration)
        server = try HTTPServer(configuration: configuration)
        server.start { TestHandler(context: $0) }
    }

    func client() throws -> RawClient { try RawClient(port: port) }

    /// Begins to drain.
    ///
    /// - Returns: What is signalled when it is done.
    func beginStop(within duration: Duration = .seconds(5)) -> DispatchSemaphore {
        let isDone = DispatchSemaphore(value: 0)
        server.drain(within: duration) { isDone.signal() }
        return isDone
    }

    /// Drains, and waits for it.
    func stop(within duration: Duration = .seconds(5)) {
        beginStop(within: duration).wait()
    }

    /// Waits until the loops' statistics, added up by `value`, reach `count`.
    func wait(for count: UInt64, of value: (LoopStatistics) -> UInt64) throws {
        try waitUntil { total(value) >= count }
    }

    /// Waits until no more than `count` connections are open.
    func waitForConnections(atMost count: Int) throws {
        try waitUntil { server.statistics().reduce(0) { $0 + $1.connectionsOpen } <= count }
    }

    /// The loops' statistics, added up by `value`.
    func total(_ value: (LoopStatistics) -> UInt64) -> UInt64 {
        server.statistics().reduce(0) { $0 + value($1) }
    }
}

/// Answers with what it was asked, or as the path says.
final class TestHandler: HTTPHandler {
    private static let worker = DispatchQueue(label: "test.worker")

    private let context: LoopContext
    private let attached = AttachedFields([("Attached", "yes")])
    private var received = 0
    private var waiting: [DeferredResponse] = []
    private var parked: [ParkedRequest] = []

    init(context: LoopContext) {
        self.context = context
    }

    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        if let query = request.query, query.hasSameBytes(as: "stranger") {
            exchange.respond(error: .unauthorized, detail: "Nobody knows you.")
            return .answered
        }
        // It can be decided on when a message has come.
        if let query = request.query, query.hasSameBytes(as: "park"), received == 0 {
            parked.append(exchange.parked())
            return .pending
        }
        if let query = request.query, query.hasSameBytes(as: "attached") { exchange.attach(attached) }
        if exchange.isLate, !request.path.hasSameBytes(as: "/essential") {
            exchange.shed()
            return .answered
        }
        let isUpload = request.path.hasSameBytes(as: "/up")
        return .taken(token: UInt64(request.path.count), upload: isUpload ? TestHandler.upload : nil)
    }

    /// What requests for `/up` may bring.
    static let upload = HTTPUpload(bytes: 20, time: .seconds(100))

    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        precondition(token == UInt64(request.path.count), "the token is that of this request")
        let path = String(decoding: request.path, as: UTF8.self)
        switch path {
        case "/later": completeElsewhere(exchange.deferred(), describe(request))
        case "/watched": waiting.append(exchange.deferred(within: .seconds(60), watch: TestHandler.watch()))
        case "/watch-soon": waiting.append(exchange.deferred(within: .milliseconds(20), watch: TestHandler.watch()))
        case "/patient": waiting.append(exchange.deferred(within: .seconds(60)))
        case "/never": waiting.append(exchange.deferred())
        case "/wait": waiting.append(exchange.deferred())
        case "/at-once": context.resume(exchange.deferred()) { $0.respond(.ok, text: "at once") }
        case "/twice": completeTwice(exchange.deferred())
        case "/nothing": break
        case "/received": exchange.respond(.ok, body: Array("\(received)".utf8))
        case "/loop": exchange.respond(.ok, body: Array("\(context.index)".utf8))
        case "/busy": busy(&exchange)
        case "/stall":
            usleep(150_000)
            exchange.respond(.ok)
        case "/client": exchange.respond(.ok, body: Array("\(exchange.client(of: request))".utf8))
        case "/stream": stream(&exchange)
        case "/stream-later": context.resume(exchange.deferred()) { stream(&$0) }
        case "/empty": exchange.respond(.noContent)
        case "/unchanged": exchange.respond(.notModified) { $0.add("ETag", "\"1\"") }
        case "/fields": answerWithFields(&exchange)
        case "/method": exchange.respondMethodNotAllowed(allowing: "GET, HEAD")
        case "/file":
            let body = [UInt8](repeating: 0x61, count: Int(number(request.query)))
            exchange.respond(HTTPResponse(status: .ok, body: body))
        case "/large": exchange.respond(.ok, body: [UInt8](repeating: 0x61, count: Int(number(request.query))))
        default: exchange.respond(.ok, contentType: "text/plain", body: Array(describe(request).utf8))
        }
    }

    /// Raises the count, and answers whoever waits.
    func receive(_ message: Int) {
        received += message
        for request in parked { context.admitAgain(request) }
        parked = []
        let answers = waiting
        waiting = []
        for answer in answers { context.resume(answer) { $0.respond(.ok, body: Array("\(received)".utf8)) } }
    }

    /// The watches of answers, oldest first.
    static let watches = Locked<[ResponseWatch]>([])

    private static func watch() -> ResponseWatch {
        let watch = ResponseWatch()
        watches.withLock { $0.append(watch) }
        return watch
    }

    /// The streams that were begun, oldest first.
    static let streams = Locked<[ResponseStream]>([])
    /// Called when one of them has room again.
    static let onRoom = Locked<@Sendable () -> Void>({})

    private func stream(_ exchange: inout Exchange) {
        let stream = exchange.stream(
            .ok, contentType: "text/event-stream",
            onRoom: { TestHandler.onRoom.withLock { $0 }() })
        TestHandler.streams.withLock { $0.append(stream) }
    }

    private func completeElsewhere(_ answer: DeferredResponse, _ text: String) {
        TestHandler.worker.async { answer.complete(HTTPResponse(status: .ok, body: Array(text.utf8))) }
    }

    private func completeTwice(_ answer: DeferredResponse) {
        TestHandler.worker.async {
            answer.complete(HTTPResponse(status: .ok, body: Array("first".utf8)))
            answer.complete(HTTPResponse(status: .ok, body: Array("second".utf8)))
        }
    }

    /// Keeps the loop busy for half a millisecond.
    private func busy(_ exchange: inout Exchange) {
        let end = SystemClock.monotonicMicroseconds + 500
        while SystemClock.monotonicMicroseconds < end {}
        exchange.respond(.ok, body: Array("\(received)".utf8))
    }

    private func answerWithFields(_ exchange: inout Exchange) {
        let fields = [(name: "X-Text", value: "a\r\nX-Injected: b"), (name: "X-Other", value: "c")]
        exchange.respond(HTTPResponse(status: .created, fields: fields, contentType: "text/plain", body: [0x61]))
    }

    private func number(_ bytes: UnsafeRawBufferPointer?) -> Int {
        bytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}
