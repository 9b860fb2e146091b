import Bytes

/// One connection's state. Lies at a fixed address in its loop's `ConnectionTable` and is used by that loop only.
struct HTTPConnection: ~Copyable {
    /// Its place in the table.
    let slot: UInt32
    /// How often the slot was given away: tells an event of this connection from one of its predecessor.
    var generation: UInt32 = 0
    /// Counts deferred exchanges: tells the response that is waited for from one that comes too late.
    var ticket: UInt32 = 0
    /// The socket; -1 while the slot is free.
    var descriptor: Int32 = -1
    /// Whether the socket may have bytes, or its end, that were not read. Epoll tells that once only.
    var isReadable = false
    /// Whether the peer has ended its side: then a read that comes up short is not the last.
    var hasEnd = false
    /// Whether it waits in the loop's list of connections to read from again.
    var isUnread = false
    /// Whether it waits in the loop's list of connections to go on with out of turn.
    var isReady = false
    /// Whether whole requests may wait in the input because too much output waited.
    var wasInterrupted = false
    /// Bytes dropped after the last response.
    var droppedBytes = 0
    /// Bytes that were counted as waiting for its reader.
    var keptOutputBytes = 0
    /// Bytes of content of the request that was handled last: while its response is awaited, somebody has them.
    var contentBytes = 0
    /// Bytes of content that were counted as there and not answered.
    var keptInputBytes = 0
    /// What secures it; nil for a connection without TLS.
    var session: TLSSession?
    /// Where the content of the response at hand comes from, when it comes in pieces.
    var stream: ResponseStream?
    /// Who wants to know when the deferred answer at hand is awaited no more.
    var watch: ResponseWatch?
    /// The place of the upload at hand; nil for other requests.
    var upload: Permit?
    /// The place of the large response that is under way; nil for others.
    var largeResponse: Permit?
    /// Whether the request at hand has waited for its decision.
    var wasParked = false
    /// What the handler gave for the request at hand when it took it.
    var token: UInt64 = 0
    /// The number in the request's name; 0 while it has none.
    var requestNumber: UInt64 = 0
    /// What a trusted proxy calls the request; empty when it does not.
    var givenName: [UInt8] = []
    /// What the response to the request at hand has beside its own fields; nil for nothing.
    var attachedFields: AttachedFields?
    /// When the loop began with what the request came with, in microseconds of the monotonic clock.
    var requestBegin: Int64 = 0
    /// Whether the head of the request at hand was read to its end.
    var isHeadRead = false
    /// The route that takes it; negative where none does, or none is known.
    var route: Int32 = -1
    /// Where it came from by the word of a trusted proxy, where somebody wants to know.
    var vouchedClient: PeerAddress?
    /// Whether a trusted proxy is at the other end.
    var isVouchedFor = false
    /// Who is at the other end.
    var peer = PeerAddress.unix
    /// The protocol's state.
    var machine = ConnectionMachine()
    /// Bytes read and not yet consumed.
    var input = ByteBuffer()
    /// Bytes of responses not yet sent.
    var output = ByteBuffer()

    init(slot: UInt32) {
        self.slot = slot
    }

    /// The request at the front of the input.
    ///
    /// - Parameters:
    ///   - fields: Its header fields.
    ///   - contentLength: Bytes of its content that are there.
    @inline(__always)
    func request(_ fields: UnsafeBufferPointer<FieldSlice>, contentLength: Int) -> HTTPRequest {
        let bytes = input.readable
        let headLength = machine.headLength
        let asterisk: StaticString = "*"
        return HTTPRequest(
            method: machine.head.method,
            path: machine.head.isServerWide
                ? UnsafeRawBufferPointer(start: asterisk.utf8Start, count: 1) : bytes.slice(machine.head.path),
            query: machine.head.query.map { bytes.slice($0) },
            body: bytes.slice(ByteRange(headLength, headLength &+ contentLength)),
            isConditional: machine.head.isConditional, hasContentCoding: machine.head.hasContentCoding,
            hasOrigin: machine.head.hasOrigin, head: bytes.slice(ByteRange(0, headLength)),
            methodLength: machine.head.methodLength, fields: fields)
    }
}
