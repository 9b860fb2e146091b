import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON
import Telemetry

/// What answers evaluations on one event loop, out of the loop's own cache.
///
/// One for each loop and used on that loop only, so nothing in it is locked; what it reuses from request to request
/// (the tape, the buffers) makes an evaluation that finds its flag in the cache free of allocations. It knows neither
/// the store nor a queue: it cannot block.
package final class Evaluator {
    let settings: EvaluationSettings
    let loop: LoopContext
    let cache: LoopCache
    /// Where required flags and segments are found.
    let surroundings: LoopSurroundings
    /// This loop's counters.
    let counters: CounterBlock
    /// Where what is counted of evaluations lies in them.
    let metrics: EvaluationMetrics
    /// Where requests are counted.
    let requests: RequestMetrics
    /// Told of evaluations that failed: what went wrong, with which flag, where.
    let noteFailure: @Sendable (EvaluationError, String, Environment) -> Void
    /// Where bodies of evaluations are parsed.
    let tape = JSONTape()
    /// Where answers of evaluations are written.
    var output = EvaluationOutput()
    /// Where a percent-encoded key is decoded.
    var decodedKey = ByteBuffer(capacity: 512)
    /// The bulk response that is being written, if that takes more than one turn of the loop: one at a time, since what
    /// is unfinished takes memory.
    var writing: WaitingEvaluation?
    /// Those that are written after it, in the order in which they were asked for.
    var queued: [WaitingEvaluation] = []
    /// How the current second is spelled.
    var instants = InstantText()
    /// The key of entity tags.
    private(set) var tagKey: KeyedDigest.Key

    /// An evaluator with an empty cache.
    ///
    /// - Parameters:
    ///   - settings: what the operator decided.
    ///   - source: what fills the cache.
    ///   - loop: the loop.
    ///   - counters: the loop's counters.
    ///   - metrics: where evaluations are counted in them.
    ///   - requests: where requests are.
    ///   - wantsTurn: has `takeTurn` called when the loop has time again.
    ///   - noteFailure: told of evaluations that failed, on the loop: it must not block.
    package init(
        settings: EvaluationSettings, source: any CacheSource, loop: LoopContext, counters: CounterBlock,
        metrics: EvaluationMetrics, requests: RequestMetrics, wantsTurn: @escaping () -> Void,
        noteFailure: @escaping @Sendable (EvaluationError, String, Environment) -> Void
    ) {
        self.settings = settings
        self.loop = loop
        self.counters = counters
        self.metrics = metrics
        self.requests = requests
        self.noteFailure = noteFailure
        cache = LoopCache(
            source: source, loop: loop.index, limits: settings.cacheLimits, fractional: settings.fractional,
            clock: settings.workClock, wantsTurn: wantsTurn)
        surroundings = LoopSurroundings(cache: cache)
        tagKey = KeyedDigest.Key(deriving: settings.currentStoreID())
    }

    /// The instant of an evaluation: the loop's clock, read once each time the loop wakes.
    package var now: Timestamp {
        settings.evaluationClock?() ?? Timestamp(millisecondsSinceEpoch: loop.wallMilliseconds)
    }

    /// Takes what was loaded for this loop, or what changed in the store.
    package func apply(_ update: CacheUpdate) {
        cache.apply(update, now: loop.monotonicMilliseconds)
        // Of another table, what clients know by their tags is not true any more.
        if update.forgetsEverything { tagKey = KeyedDigest.Key(deriving: settings.currentStoreID()) }
    }

    /// Goes on with what waits for the loop's time.
    package func takeTurn() { cache.takeTurn(now: loop.monotonicMilliseconds) }

    /// Copies what the cache counts to where other threads can read it.
    package func publishStatistics() { metrics.publish(cache.statistics, in: counters) }
}

/// Where the response of an evaluation is written: memory that is used again for the next.
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
