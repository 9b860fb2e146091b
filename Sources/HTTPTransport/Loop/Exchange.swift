import Bytes
import Platform

/// One request's place for its response. Answers are written straight into the connection's write buffer.
package struct Exchange: ~Copyable {
    let connection: UnsafeMutablePointer<HTTPConnection>
    let loop: UnsafeMutablePointer<LoopState>
    /// What became of the exchange.
    private(set) var state = State.open
    /// Milliseconds that a deferred answer may take; nil for those of the time-outs.
    private(set) var responseTime: Int64?

    /// What can become of an exchange.
    enum State: Equatable {
        case open
        case answered
        case deferred(ticket: UInt32)
    }

    init(connection: UnsafeMutablePointer<HTTPConnection>, loop: UnsafeMutablePointer<LoopState>) {
        self.connection = connection
        self.loop = loop
    }

    /// Whether the loop is so late that only what is essential should be answered (`HTTPTimeouts.lag`).
    package var isLate: Bool { loop.pointee.isOverloaded }

    /// Whether the connection is secured, or a trusted gateway vouches for it.
    package var isSecure: Bool { connection.pointee.machine.isSecure }

    /// Refuses the request because the loop is late, and counts that.
    package mutating func shed() {
        loop.pointee.counters.shed.raise(by: 1)
        respond(error: .serviceUnavailable, detail: "The server is overloaded.")
    }

    /// What the request is called: in the field `X-Request-Id` of its response, and wherever it is told of. To be asked
    /// before it is answered. A trusted proxy's word for it, else ours.
    package var requestID: RequestID { RequestName.id(connection, loop) }

    /// Microseconds since the loop began with what the request came with.
    package var elapsedMicroseconds: Int64 { SystemClock.monotonicMicroseconds - beganMicroseconds }

    /// When that was, by the monotonic clock.
    package var beganMicroseconds: Int64 { connection.pointee.requestBegin }

    /// Closes the connection after this exchange's answer. To be called before `respond`.
    package mutating func closeAfterResponse() {
        connection.pointee.machine.keepsAlive = false
    }

    /// Answers.
    ///
    /// `Date`, `Content-Length` and `Connection` are written as RFC 9110 and 9112 want them; to HEAD, and with 204
    /// and 304, the body is left out.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - contentType: The content's media type; nil writes no such field.
    ///   - body: The content; copied.
    ///   - fields: Adds further header fields.
    /// - Complexity: O(length of the response), no allocation once the connection's buffer has grown.
    package mutating func respond(
        _ status: HTTPStatus, contentType: StaticString? = nil, body: UnsafeRawBufferPointer,
        fields: (borrowing FieldWriter) -> Void = { _ in }
    ) {
        if refusesContent(status) { return refuseContent() }
        begin(status)
        let output = Exchange.output(of: connection)
        output.pointee.reserve(512 + body.count)
        let writer = ResponseWriter(connection: connection, loop: loop)
        writer.begin(status)
        let fieldsStart = output.pointee.count
        if let contentType { writer.contentType(contentType) }
        fields(FieldWriter(output: output))
        end(writer, status, fieldsStart: fieldsStart, body: body)
    }

    /// Answers with a buffer's content, which is not copied where it need not be: the buffer is then given to the
    /// connection, and another one, with bytes that mean nothing, comes in its place.
    ///
    /// - Parameters:
    ///   - content: the content, begun behind `ByteBuffer.reset(leaving: Exchange.headBytes)`.
    ///   - fields: Adds further header fields. It must not touch the buffer.
    package mutating func respond(
        _ status: HTTPStatus, contentType: StaticString? = nil, taking content: inout ByteBuffer,
        fields: (borrowing FieldWriter) -> Void = { _ in }
    ) {
        if refusesContent(status) { return refuseContent() }
        begin(status)
        let output = Exchange.output(of: connection)
        output.pointee.reserve(512)
        let writer = ResponseWriter(connection: connection, loop: loop)
        writer.begin(status)
        let fieldsStart = output.pointee.count
        if let contentType { writer.contentType(contentType) }
        fields(FieldWriter(output: output))
        let body = content.readable
        withUnsafeMutablePointer(to: &content) {
            end(writer, status, fieldsStart: fieldsStart, body: body, taking: $0)
        }
    }

    /// Room for the head of an ordinary response.
    package static var headBytes: Int { 1024 }

    /// Answers with the bytes of an array.
    package mutating func respond(
        _ status: HTTPStatus, contentType: StaticString? = nil, body: [UInt8] = [],
        fields: (borrowing FieldWriter) -> Void = { _ in }
    ) {
        body.withUnsafeBytes { respond(status, contentType: contentType, body: $0, fields: fields) }
    }

    /// Answers with a constant text.
    package mutating func respond(
        _ status: HTTPStatus, contentType: StaticString? = nil, text: StaticString,
        fields: (borrowing FieldWriter) -> Void = { _ in }
    ) {
        let body = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        respond(status, contentType: contentType, body: body, fields: fields)
    }

    /// Answers with a whole response.
    package mutating func respond(_ response: HTTPResponse) {
        if refusesContent(response.status) { return refuseContent() }
        if response.body.count > loop.pointee.limits.keptOutputBytes / 2 {
            connection.pointee.largeResponse = loop.pointee.largeResponses.take()
            guard connection.pointee.largeResponse != nil else {
                return respond(error: .serviceUnavailable, detail: "There are too many large answers at once.")
            }
        }
        begin(response.status)
        let writer = ResponseWriter(connection: connection, loop: loop)
        writer.begin(response.status)
        let fieldsStart = connection.pointee.output.count
        let fields = FieldWriter(output: Exchange.output(of: connection))
        if let contentType = response.contentType { fields.add("Content-Type", contentType) }
        for (name, value) in response.fields { fields.add(name, value) }
        response.body.withUnsafeBytes { end(writer, response.status, fieldsStart: fieldsStart, body: $0) }
    }

    /// Whether the client asks for content and takes it neither as it is nor with gzip (RFC 9110 §12.5.3). An error's
    /// content is sent all the same, and so is what tells that something was done.
    @inline(__always)
    private func refusesContent(_ status: HTTPStatus) -> Bool {
        guard status == .ok, connection.pointee.machine.head.acceptedCodings.refusesIdentity else { return false }
        let method = connection.pointee.machine.head.method
        return !connection.pointee.machine.head.acceptedCodings.prefersGzip && (method == .get || method == .head)
    }

    private mutating func refuseContent() {
        respond(error: .notAcceptable, detail: "Content is sent as it is or with gzip; Accept-Encoding allows neither.")
    }

    /// Small content is never compressed, unless the client takes nothing else.
    @inline(__always)
    private func end(
        _ writer: ResponseWriter, _ status: HTTPStatus, fieldsStart: Int, body: UnsafeRawBufferPointer,
        taking content: UnsafeMutablePointer<ByteBuffer>? = nil
    ) {
        if body.count >= loop.pointee.compressedFrom || connection.pointee.machine.head.acceptedCodings.refusesIdentity
        {
            writer.endCompressible(status, fieldsStart: fieldsStart, body: body, taking: content)
        } else {
            writer.end(status, body: body, taking: content)
        }
        if loop.pointee.hasRecord { endRecord() }
    }

    /// Answers with the configuration's `errorBody`; 503 with a `Retry-After` of one second (RFC 9110 §15.6.4).
    ///
    /// - Parameters:
    ///   - status: The status, 400 to 599.
    ///   - detail: One sentence for people.
    package mutating func respond(error status: HTTPStatus, detail: String) {
        let (contentType, body) = loop.pointee.errorBody(status, detail, requestID)
        let fields = status == .serviceUnavailable ? [(name: "Retry-After", value: "1")] : []
        respond(HTTPResponse(status: status, fields: fields, contentType: contentType, body: body))
    }

    /// Answers 405 with the `Allow` field that RFC 9110 §15.5.6 requires.
    ///
    /// - Parameter allowed: The methods, `GET, HEAD`.
    package mutating func respondMethodNotAllowed(allowing allowed: StaticString) {
        let detail = "This resource allows \(allowed)."
        let (contentType, body) = loop.pointee.errorBody(.methodNotAllowed, detail, requestID)
        let fields = [(name: "Allow", value: allowed.description)]
        respond(HTTPResponse(status: .methodNotAllowed, fields: fields, contentType: contentType, body: body))
    }

    /// Leaves the exchange open to be answered later. The connection's next request is not parsed before that.
    ///
    /// - Parameters:
    ///   - time: How long the response may take; nil for the handler time-out and what is left of the request's.
    ///   - watch: Learns when nobody awaits the response any more.
    /// - Returns: What the response is sent with. When it does not come in time, the transport answers 503.
    package mutating func deferred(within time: Duration? = nil, watch: ResponseWatch? = nil) -> DeferredResponse {
        precondition(state == .open, "an exchange is answered or deferred once")
        connection.pointee.watch = watch
        if connection.pointee.hasEnd { watch?.end() }
        responseTime = time.map { Int64($0.milliseconds) }
        connection.pointee.ticket &+= 1
        state = .deferred(ticket: connection.pointee.ticket)
        return DeferredResponse(
            mailbox: loop.pointee.mailbox, slot: connection.pointee.slot, ticket: connection.pointee.ticket)
    }

    /// Has the request wait until its handler can decide on it. For `admit`, which then says `pending`.
    ///
    /// - Returns: What the handler has it decided on again with. Where that does not come in the time of a handler, the
    ///   transport answers 503.
    package mutating func parked() -> ParkedRequest {
        precondition(state == .open, "an exchange is answered or deferred once")
        connection.pointee.ticket &+= 1
        state = .deferred(ticket: connection.pointee.ticket)
        return ParkedRequest(slot: connection.pointee.slot, ticket: connection.pointee.ticket)
    }

    /// Whether it was left to be answered later.
    var isDeferred: Bool { if case .deferred = state { true } else { false } }

    /// An exchange that its handler forgot, or that was deferred twice, gets a response all the same.
    mutating func completeUnanswered() {
        guard state != .answered else { return }
        state = .open
        respond(error: .internalServerError, detail: "The request was not answered.")
    }

    @inline(__always)
    mutating func begin(_ status: HTTPStatus) {
        precondition(state == .open, "an exchange is answered or deferred once")
        state = .answered
        if loop.pointee.isDraining { connection.pointee.machine.keepsAlive = false }
        loop.pointee.counters.countResponse(status)
        if let log = loop.pointee.accessLog, log.wants(status, &loop.pointee.untoldResponses) { beginRecord(status) }
    }

    /// The write buffer. A connection lies at a fixed address, so a pointer into it stays valid.
    @inline(__always)
    static func output(of connection: UnsafeMutablePointer<HTTPConnection>) -> UnsafeMutablePointer<ByteBuffer> {
        withUnsafeMutablePointer(to: &connection.pointee.output) { $0 }
    }
}
