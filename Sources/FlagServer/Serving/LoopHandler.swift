import Bytes
import FlagCache
import FlagCore
import HTTPTransport
import JSON

/// What one event loop does with requests: it evaluates flags out of its own cache at once, and hands everything that
/// can block to worker queues.
///
/// One for each loop and used on that loop only, so nothing in it is locked; what it reuses from request to request
/// (the tape, the buffers) makes an evaluation that finds its flag in the cache free of allocations. `FlagService`
/// says how handlers are made.
final class LoopHandler: HTTPHandler {
    /// What other threads send to a loop.
    enum Message: Sendable {
        /// What the cache feed loaded for this loop, or what changed in the store.
        case cache(CacheUpdate)
        /// The loop's own: the turn has come in which its cache goes on with what waits.
        case turn
        /// Somebody waits for what this loop counted, and is told when it can be read.
        case publish(done: @Sendable () -> Void)
    }

    let service: FlagService
    let loop: LoopContext
    let cache: LoopCache
    /// Where required flags and segments are found.
    let surroundings: LoopSurroundings
    /// This loop's counters.
    let counters: CounterBlock
    /// Whether requests name this server.
    var hostCheck: HostCheck
    /// Where bodies of evaluations are parsed.
    let tape = JSONTape()
    /// Where answers of evaluations are written.
    var output = EvaluationOutput()
    /// Where a percent-encoded key is decoded.
    var decodedKey = ByteBuffer(capacity: 512)
    /// The bulk answer that is being written, if that takes more than one turn of the loop: one at a time, since what
    /// is unfinished takes memory.
    var writing: WaitingEvaluation?
    /// Those that are written after it, in the order in which they were asked for.
    var queued: [WaitingEvaluation] = []
    /// How the current second is spelled.
    var instants = InstantText()
    /// The key of entity tags.
    private(set) var tagKey: KeyedDigest.Key
    private let fixedNow: (@Sendable () -> Timestamp)?

    /// A handler with an empty cache.
    ///
    /// - Parameters:
    ///   - service: what all loops share.
    ///   - loop: this loop.
    init(service: FlagService, loop: LoopContext) {
        self.service = service
        self.loop = loop
        cache = LoopCache(
            source: service.feed, loop: loop.index, limits: service.settings.cacheLimits,
            fractional: service.settings.fractional, clock: service.settings.workClock,
            wantsTurn: { [link = service.link, index = loop.index] in link.send(.turn, toLoop: index) })
        surroundings = LoopSurroundings(cache: cache)
        counters = service.metrics.loops[loop.index]
        tagKey = KeyedDigest.Key(deriving: service.settings.currentStoreID())
        fixedNow = service.settings.evaluationClock
        hostCheck = HostCheck(service.settings.hosts)
    }

    /// The instant of an evaluation: the loop's clock, read once each time the loop wakes.
    var now: Timestamp {
        fixedNow?() ?? Timestamp(millisecondsSinceEpoch: loop.wallMilliseconds)
    }

    func isEssential(_ request: borrowing HTTPRequest) -> Bool {
        guard case .route(let route, _) = service.router.match(request.method, request.path) else { return false }
        return [.health, .metrics, .killSwitch].contains(route.group)
    }

    func receive(_ message: Message) {
        switch message {
        case .cache(let update):
            cache.apply(update, now: loop.monotonicMilliseconds)
            // Of another table, what clients know by their tags is not true any more.
            if update.forgetsEverything { tagKey = KeyedDigest.Key(deriving: service.settings.currentStoreID()) }
        case .turn:
            cache.takeTurn(now: loop.monotonicMilliseconds)
        case .publish(let done):
            ServiceMetrics.publish(cache.statistics, in: counters)
            done()
        }
    }
}

/// Where the answer of an evaluation is written: memory that is used again for the next.
struct EvaluationOutput: ~Copyable {
    /// The content.
    var body = ByteBuffer()
    /// The value of the `ETag` field; empty when there is none.
    var tag = ByteBuffer(capacity: 64)

    /// Forgets everything.
    mutating func reset() {
        body.reset()
        tag.reset()
    }
}
