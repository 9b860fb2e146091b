import Bytes
import Platform

/// The protocol of one connection as a value: bytes, answers and ticks go in, steps to take come out. It touches no
/// socket and reads no clock; times are milliseconds of one monotonic clock.
struct ConnectionMachine {
    /// What the shell does next.
    enum Step: Equatable {
        /// Nothing, until more bytes, a response or time comes.
        case wait
        /// The head of a request is whole: ask the handler whether it is taken, then say `admitted` or `handedHead`.
        case admit
        /// Write the interim answer 100 (RFC 9110 §15.2.1), then ask again.
        case sendContinue
        /// A whole request stands at the front of the input: hand it to the handler, then say `handed`.
        case handle
        /// Answer with the fault's status and say `answered`; the connection closes after it.
        case refuse(RequestFault)
        /// The peer will send no more and is owed nothing more: send what is written and close.
        case finish
    }

    /// What the shell does when time has come.
    enum Expiry: Equatable {
        /// Nothing yet.
        case none
        /// Close without a response.
        case close(ConnectionTimeout?)
        /// Answer 408 and say `answered`; the connection closes after it.
        case requestTimeout(ConnectionTimeout)
        /// Answer 503 in the handler's place and say `answered`.
        case handlerTimeout(ConnectionTimeout)
    }

    /// Where the connection stands.
    private(set) var phase = ConnectionPhase.idle
    /// Whether the connection stays open after the response to the request at hand.
    var keepsAlive = true
    /// Whether the connection is secured, so that `https` URIs may be asked for on it.
    let isSecure: Bool
    /// Whether the peer has ended its side.
    private(set) var inputEnded = false
    /// Whether output waits for a peer that does not take it.
    private(set) var isBlocked = false
    /// Bytes of the request at hand, once it is whole.
    private(set) var messageLength = 0
    /// Bytes of its body, which stands behind its head.
    private(set) var bodyLength = 0
    /// Bytes that the body at hand may have.
    private(set) var bodyMaximum = 0

    private var parser = HeadParser()
    private var decoder = ChunkDecoder(maximum: 0)
    /// When the phase has lasted too long.
    private var stageDeadline = Int64.max
    /// When the request at hand has lasted too long.
    private var requestDeadline = Int64.max
    /// When blocked output has waited too long.
    private var writeDeadline = Int64.max
    /// When the output began to be blocked.
    private var blockBegin: Int64 = 0
    /// Bytes that the peer has taken since.
    private var blockTaken = 0
    /// When it is looked at next how fast that was.
    private var takingCheck = Int64.max
    private var hasSentContinue = false
    /// Whether the connection is not yet secured that is to be.
    private var isHandshaking = false
    /// When the body began, or was read on after output had been blocked.
    private var bodyBegin: Int64 = 0
    /// When the body has lasted too long.
    private var bodyDeadline = Int64.max
    /// Bytes of the body that have come.
    private var bodyReceived = 0
    /// Whether the body at hand may be larger and slower than others.
    private var isUpload = false
    /// Milliseconds that it may take then.
    private var uploadTime: Int64 = 0
    /// Bytes of content still to be dropped, of a request that was answered by its head.
    private var skippedBytes = 0
    /// Whether a request that was parked can be decided on now.
    private var isReleased = false

    /// Content up to this size is dropped when its request was answered without it; behind more the connection closes.
    private static let skippedMaximum = 64 * 1024

    /// What is known of the request at hand.
    var head: RequestHead { parser.head }
    /// Bytes of its head.
    var headLength: Int { parser.length }
    /// Whether the body of an upload is under way.
    var isUploading: Bool { isUpload && (phase == .body || phase == .chunks) }

    /// A connection that begins now.
    init(now: Int64 = 0, timeouts: TimeoutsInMilliseconds? = nil, isSecure: Bool = false) {
        self.isSecure = isSecure
        if let timeouts { stageDeadline = now + timeouts.idle }
    }

    /// The handshake of TLS begins: it has the time of a request head.
    mutating func handshakes(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        isHandshaking = true
        stageDeadline = now + timeouts.head
    }

    /// The connection is secured; now it may be idle.
    mutating func secured(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        isHandshaking = false
        stageDeadline = now + timeouts.idle
    }

    // MARK: Bytes

    /// Looks at what has come.
    ///
    /// - Parameters:
    ///   - input: The bytes not yet consumed; a chunked body is decoded in it.
    ///   - fields: Receives the header fields of a request that is handed out.
    ///   - limits: Bounds.
    ///   - timeouts: Time-outs.
    ///   - now: The time.
    /// - Complexity: O(new bytes).
    mutating func advance(
        _ input: inout ByteBuffer, _ fields: inout FieldTable, _ limits: borrowing HTTPLimits,
        _ timeouts: borrowing TimeoutsInMilliseconds, now: Int64
    ) -> Step {
        switch phase {
        case .idle:
            if skippedBytes > 0, !skipContent(&input) { return inputEnded ? finish() : .wait }
            skipEmptyLines(&input)
            if input.isEmpty || input.count == 1 && input.readable[0] == 0x0D { return inputEnded ? finish() : .wait }
            beginRequest(timeouts, now: now)
            return advanceHead(&input, &fields, limits, timeouts, now: now)
        case .head: return advanceHead(&input, &fields, limits, timeouts, now: now)
        case .body: return advanceBody(&input, &fields)
        case .chunks: return advanceChunks(&input, &fields, limits)
        case .parked: return advanceParked(input, &fields)
        case .admitting, .answering, .streaming, .closing, .lingering: return .wait
        }
    }

    /// The fields were found long ago, and others' have taken their place since.
    @inline(never)
    private mutating func advanceParked(_ input: borrowing ByteBuffer, _ fields: inout FieldTable) -> Step {
        guard isReleased else { return .wait }
        parser.tabulate(input.readable, into: &fields)
        phase = .admitting
        return .admit
    }

    /// Drops what is left of the content of a request that was answered without it.
    ///
    /// - Returns: Whether all of it has come.
    @inline(never)
    private mutating func skipContent(_ input: inout ByteBuffer) -> Bool {
        let count = min(skippedBytes, input.count)
        input.consume(count)
        skippedBytes -= count
        return skippedBytes == 0
    }

    /// The peer has ended its side: whole requests are still answered, a part of one is not waited for.
    mutating func endInput() {
        inputEnded = true
    }

    /// Empty lines before a request are passed over (RFC 9112 §2.2). They do not begin a request: its time does not
    /// run.
    @inline(__always)
    private func skipEmptyLines(_ input: inout ByteBuffer) {
        while input.count >= 2, input.readable[0] == 0x0D, input.readable[1] == 0x0A { input.consume(2) }
    }

    @inline(__always)
    private mutating func beginRequest(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        phase = .head
        parser = HeadParser()
        hasSentContinue = false
        isUpload = false
        keepsAlive = true
        requestDeadline = now &+ timeouts.request
        stageDeadline = now &+ timeouts.head
    }

    @inline(__always)
    private mutating func advanceHead(
        _ input: inout ByteBuffer, _ fields: inout FieldTable, _ limits: borrowing HTTPLimits,
        _ timeouts: borrowing TimeoutsInMilliseconds, now: Int64
    ) -> Step {
        switch parser.parse(input.readable, fields: &fields, limits: limits) {
        case .incomplete: return inputEnded ? refuse(.incompleteRequest) : .wait
        case .invalid(let fault): return refuse(fault)
        case .complete: break
        }
        keepsAlive = parser.head.keepsAlive
        if parser.head.expectsOther { return refuse(.unknownExpectation) }
        // RFC 9110 §7.4.
        if parser.head.isSecure, !isSecure { return refuse(.misdirectedRequest) }
        if parser.isSplit { parser.tabulate(input.readable, into: &fields) }
        phase = .admitting
        return .admit
    }

    /// Whether the connection can be kept when the request at hand is answered by its head: what is left of its content
    /// is little and sure to come.
    @inline(__always)
    func canSkipContent(_ input: borrowing ByteBuffer) -> Bool {
        guard !parser.head.hasTransferEncoding else { return false }
        guard let length = parser.head.contentLength, length > 0 else { return true }
        // Nothing is added to what a peer tells: it may be as much as a number can hold.
        if input.count &- parser.length >= length { return true }
        // Who waits for 100 may send the content or not (RFC 9110 §10.1.1).
        return length <= ConnectionMachine.skippedMaximum && !parser.head.expectsContinue
    }

    /// The handler cannot decide yet on the request whose head is there. It has the time of a handler.
    mutating func park(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        phase = .parked
        isReleased = false
        stageDeadline = now + timeouts.handler
    }

    /// The handler is to be asked again about the request that waits.
    mutating func releaseParked() { isReleased = true }

    /// The request at hand was answered by its head; its content makes no difference, whatever of it is still to come.
    mutating func handedHead(_ input: inout ByteBuffer) {
        phase = .answering
        let length = parser.head.contentLength ?? 0
        let there = min(length, input.count &- parser.length)
        input.consume(parser.length &+ there)
        skippedBytes = keepsAlive ? length &- there : 0
    }

    /// The request at hand is taken. Goes on with its content.
    ///
    /// - Parameters:
    ///   - upload: What its content may have beyond that of others; nil for what all may have.
    ///   - input: As in `advance`, as the other parameters are.
    @inline(__always)
    mutating func admitted(
        as upload: HTTPUpload?, _ input: inout ByteBuffer, _ fields: inout FieldTable,
        _ limits: borrowing HTTPLimits, _ timeouts: borrowing TimeoutsInMilliseconds, now: Int64
    ) -> Step {
        let length = parser.head.contentLength ?? 0
        if length > limits.bodyBytes || parser.head.hasTransferEncoding {
            bodyMaximum = limits.bodyBytes
            if let upload { beginUpload(upload, timeouts, now: now) }
            if length > bodyMaximum { return refuse(.bodyTooLarge) }
        }
        if parser.head.hasTransferEncoding {
            phase = .chunks
            decoder = ChunkDecoder(maximum: bodyMaximum)
            beginBody(timeouts, now: now)
            return advanceChunks(&input, &fields, limits)
        }
        messageLength = parser.length &+ length
        bodyLength = length
        if input.count >= messageLength {
            phase = .answering
            return .handle
        }
        phase = .body
        beginBody(timeouts, now: now)
        return waitForBody(input)
    }

    /// The body may be larger and slower than others are.
    private mutating func beginUpload(
        _ upload: HTTPUpload, _ timeouts: borrowing TimeoutsInMilliseconds, now: Int64
    ) {
        isUpload = true
        bodyMaximum = upload.bytes
        uploadTime = Int64(upload.time.milliseconds)
        requestDeadline = now + timeouts.request + uploadTime
    }

    private mutating func beginBody(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        bodyBegin = now
        bodyDeadline = now &+ (isUpload ? uploadTime : timeouts.body)
        stageDeadline = timeouts.bodyRate > 0 ? min(bodyDeadline, now &+ timeouts.rateGrace &+ 1000) : bodyDeadline
    }

    private mutating func advanceBody(_ input: inout ByteBuffer, _ fields: inout FieldTable) -> Step {
        if input.count >= messageLength { return handOut(input.readable, &fields) }
        return waitForBody(input)
    }

    private mutating func advanceChunks(
        _ input: inout ByteBuffer, _ fields: inout FieldTable, _ limits: borrowing HTTPLimits
    ) -> Step {
        let headLength = parser.length
        switch decoder.decode(&input, headLength: headLength, limits: limits) {
        case .incomplete: return waitForBody(input)
        case .invalid(let fault): return refuse(fault)
        case .complete:
            bodyLength = decoder.bodyLength
            messageLength = headLength + bodyLength
            return handOut(input.readable, &fields)
        }
    }

    /// A client that waits for 100 gets it, unless the body is under way already (RFC 9110 §10.1.1).
    private mutating func waitForBody(_ input: borrowing ByteBuffer) -> Step {
        if inputEnded { return refuse(.incompleteRequest) }
        bodyReceived = input.count &- parser.length
        if parser.head.expectsContinue, !hasSentContinue, input.count == parser.length {
            hasSentContinue = true
            return .sendContinue
        }
        return .wait
    }

    @inline(__always)
    private mutating func handOut(_ bytes: UnsafeRawBufferPointer, _ fields: inout FieldTable) -> Step {
        parser.tabulate(bytes, into: &fields)
        phase = .answering
        return .handle
    }

    private mutating func refuse(_ fault: RequestFault) -> Step {
        phase = .answering
        keepsAlive = false
        return .refuse(fault)
    }

    private mutating func finish() -> Step {
        phase = .closing
        return .finish
    }

    // MARK: Answers

    /// The request's bytes are done with: the handler has answered, or deferred and copied what it needs.
    @inline(__always)
    mutating func handed(_ input: inout ByteBuffer) {
        input.consume(messageLength)
        messageLength = 0
        bodyLength = 0
    }

    /// The request at hand is answered later.
    ///
    /// - Parameter time: milliseconds that its response may take, in place of all that others may.
    mutating func deferred(_ timeouts: borrowing TimeoutsInMilliseconds, within time: Int64?, now: Int64) {
        if let time {
            stageDeadline = now + time
            requestDeadline = .max
        } else {
            stageDeadline = now + timeouts.handler
        }
    }

    /// The response to the request at hand is begun; its content comes in pieces, in its own time.
    mutating func streams() {
        phase = .streaming
        requestDeadline = .max
        stageDeadline = .max
    }

    /// The response to the request at hand is written to the output.
    @inline(__always)
    mutating func answered(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        requestDeadline = .max
        if keepsAlive {
            phase = .idle
            stageDeadline = now &+ timeouts.idle
        } else {
            phase = .closing
            stageDeadline = .max
        }
    }

    /// There are too many connections, or uploads: the caller answers 503 and says `answered`.
    mutating func refuseForNow() {
        phase = .answering
        keepsAlive = false
    }

    // MARK: Output

    /// The kernel took so many bytes of the output for the peer, or none; the rest waits.
    mutating func block(took count: Int, _ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        if !isBlocked {
            blockBegin = now
            blockTaken = 0
            takingCheck = timeouts.outputRate > 0 ? now &+ timeouts.rateGrace &+ 1000 : .max
        }
        if !isBlocked || count > 0 { writeDeadline = now + timeouts.write }
        blockTaken += count
        isBlocked = true
    }

    /// All output is sent. A request that came in part was not read on meanwhile, so its time begins anew.
    mutating func unblock(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        guard isBlocked else { return }
        isBlocked = false
        writeDeadline = .max
        takingCheck = .max
        switch phase {
        case .idle: stageDeadline = now + (isHandshaking ? timeouts.head : timeouts.idle)
        case .head: stageDeadline = now + timeouts.head
        case .body, .chunks: beginBody(timeouts, now: now)
        case .admitting, .parked, .answering, .streaming, .closing, .lingering: break
        }
    }

    /// Our side is shut down: what the peer still sends is dropped, so that no reset destroys the response on its way
    /// (RFC 9112 §9.6).
    mutating func linger(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) {
        phase = .lingering
        stageDeadline = now + timeouts.linger
    }

    /// Whether bytes of the peer are of use now; else they wait in the kernel, and the peer is held back.
    var wantsInput: Bool {
        phase != .answering && phase != .streaming && phase != .parked && !isBlocked && !inputEnded
    }

    // MARK: Time

    /// When `expire` is to be asked.
    @inline(__always)
    var deadline: Int64 {
        if isBlocked {
            let taking = min(writeDeadline, takingCheck)
            return phase == .answering ? min(taking, answerDeadline) : taking
        }
        return phase == .idle ? stageDeadline : min(stageDeadline, requestDeadline)
    }

    private var answerDeadline: Int64 { min(stageDeadline, requestDeadline) }

    /// Waits for its first request no longer than until then.
    mutating func hurry(by time: Int64) {
        if phase == .idle, !isBlocked { stageDeadline = min(stageDeadline, time) }
    }

    /// Looks whether something has lasted too long.
    ///
    /// - Parameter untaken: how many bytes the kernel still has for the peer.
    mutating func expire(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64, untaken: Int = 0) -> Expiry {
        guard now >= deadline else { return .none }
        if isBlocked, now >= writeDeadline { return .close(.write) }
        if isBlocked, now >= takingCheck, let expiry = checkTaking(timeouts, now: now, untaken) {
            return expiry
        }
        if phase == .body || phase == .chunks, now < min(bodyDeadline, requestDeadline) {
            return checkRate(timeouts, now: now)
        }
        let isWholeRequest = requestDeadline < stageDeadline
        switch phase {
        case .idle: return .close(isHandshaking ? .handshake : .idle)
        case .head: return timeOut(isWholeRequest ? .request : .head)
        case .body, .chunks: return timeOut(isWholeRequest ? .request : .body)
        case .streaming, .admitting: return .none
        case .parked, .answering: return .handlerTimeout(isWholeRequest ? .request : .handler)
        case .closing, .lingering: return .close(nil)
        }
    }

    /// The grace is free: what has come must make up for the time since.
    private mutating func checkRate(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64) -> Expiry {
        let counted = now - bodyBegin - timeouts.rateGrace
        if Int64(bodyReceived) * 1000 < counted * timeouts.bodyRate { return timeOut(.rate) }
        stageDeadline = min(bodyDeadline, now + 1000)
        return .none
    }

    /// The same for a peer that takes a response. A stream has its own pace: what waits of it is little.
    private mutating func checkTaking(_ timeouts: borrowing TimeoutsInMilliseconds, now: Int64, _ untaken: Int)
        -> Expiry?
    {
        let counted = now - blockBegin - timeouts.rateGrace
        let taken = Int64(max(0, blockTaken - untaken))
        if phase != .streaming, taken * 1000 < counted * timeouts.outputRate { return .close(.taking) }
        takingCheck = now + 1000
        return now >= deadline ? nil : Expiry.none
    }

    private mutating func timeOut(_ timeout: ConnectionTimeout) -> Expiry {
        phase = .answering
        keepsAlive = false
        return .requestTimeout(timeout)
    }
}
