import Bytes
import Platform

/// What a loop's parts share: the clock's reading, the connections, the counters. Lies at a fixed address for the
/// loop's life and is used on the loop only.
struct LoopState: ~Copyable {
    /// Bytes of each spare buffer: the most that is read at once.
    static let spareBytes = 64 * 1024

    /// The loop's number, from 0.
    let index: Int
    /// Bounds.
    let limits: HTTPLimits
    /// Time-outs in milliseconds.
    let timeouts: TimeoutsInMilliseconds
    /// Content of the transport's own responses.
    let errorBody: HTTPServerConfiguration.ErrorBody
    /// Where other threads reach the loop.
    let mailbox: Mailbox<LoopLetter>
    /// What `/metrics` reads.
    let counters: LoopCounters
    /// Who has how many connections.
    let addresses: AddressCounts
    /// Uploads of all loops.
    let uploads: Permits
    /// Those for responses that are larger than what may wait for all readers of a loop.
    let largeResponses: Permits
    /// Which answers are compressed.
    let compression: HTTPCompression
    /// Bytes of content from which on that is worth a thought; `max` when it is off.
    let compressedFrom: Int
    /// Compresses them.
    var gzip: GzipCoder
    /// Whose word on who asks counts.
    let trustedProxies: [AddressRange]
    /// What secures connections over TCP; nil without TLS.
    let certificates: TLSCertificates?
    /// Where secured bytes are read.
    var cipher = ByteBuffer()
    /// What requests are called.
    var names = RequestNames()
    /// Microseconds of the monotonic clock, read once an iteration.
    var monotonicMicroseconds: Int64 = 0
    /// Milliseconds of the same.
    var monotonic: Int64 = 0
    /// Milliseconds since 1970, read once an iteration.
    var wall: Int64 = 0
    /// The `Date` field for that time, and the fields of every response.
    var date: DateLine
    /// What a response says of a connection that is kept, where anything has to be said.
    let keepAlive: KeepAliveFields
    /// Whether requests have waited too long in this turn of the loop: then new ones are refused.
    var isOverloaded = false
    /// Whether the loop is draining: then every response closes its connection.
    var isDraining = false
    /// The connections.
    var table = ConnectionTable()
    /// Connections that were answered out of turn and wait to be flushed and parsed on.
    var ready: [UnsafeMutablePointer<HTTPConnection>] = []
    /// Connections whose sockets had more than was read in their turn.
    var unread: [UnsafeMutablePointer<HTTPConnection>] = []
    /// Bytes of responses that wait for slow readers, of all connections together; large responses have places instead.
    var keptOutputBytes = 0
    /// Bytes of content that is there and not answered, of all connections together; uploads have places instead.
    var keptInputBytes = 0
    /// Which responses are told of; nil where nobody wants to know.
    let accessLog: AccessLog?
    /// Responses since the last that was told of.
    var untoldResponses = 0
    /// What is to be told of the response that is being written.
    var accessRecord: AccessRecord?
    /// Whether there is something.
    var hasRecord = false
    /// The connection whose request the handler has in hand.
    var current: UnsafeMutablePointer<HTTPConnection>?
    /// Header fields of the request at hand.
    var fields: FieldTable
    /// When to look at which connection's deadline.
    var timers: TimerWheel
    /// Lent to the connection at hand, so that idle ones own no memory.
    var spareInput = ByteBuffer(capacity: LoopState.spareBytes)
    /// Lent to the connection at hand, so that idle ones own no memory.
    var spareOutput = ByteBuffer(capacity: LoopState.spareBytes)

    init(
        index: Int, configuration: HTTPServerConfiguration, mailbox: Mailbox<LoopLetter>, counters: LoopCounters,
        addresses: AddressCounts, uploads: Permits, largeResponses: Permits,
        certificates: TLSCertificates? = nil
    ) {
        self.uploads = uploads
        self.largeResponses = largeResponses
        self.certificates = certificates
        self.addresses = addresses
        compression = configuration.compression
        compressedFrom = compression.minimumBytes > 0 ? compression.minimumBytes : .max
        gzip = GzipCoder(level: compression.level)
        trustedProxies = configuration.trustedProxies
        accessLog = configuration.accessLog
        self.index = index
        limits = configuration.limits
        timeouts = TimeoutsInMilliseconds(
            configuration.timeouts, bodyRate: configuration.limits.bodyRate,
            outputRate: configuration.limits.outputRate)
        errorBody = configuration.errorBody
        self.mailbox = mailbox
        self.counters = counters
        date = DateLine(followedBy: configuration.standingFields)
        keepAlive = KeepAliveFields(
            telling: configuration.tellsIdleTimeout ? configuration.timeouts.idle : nil)
        fields = FieldTable(capacity: configuration.limits.fieldCount)
        timers = TimerWheel(now: SystemClock.monotonicMilliseconds)
        readClocks()
    }
}

extension LoopState {
    /// Reads the clocks for the iteration that begins.
    @inline(__always)
    mutating func readClocks() {
        monotonicMicroseconds = SystemClock.monotonicMicroseconds
        monotonic = monotonicMicroseconds / 1000
        wall = SystemClock.coarseWallMilliseconds
        date.update(wall)
    }
}
