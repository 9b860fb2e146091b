import Platform
import Synchronization

/// What one loop counts. The loop alone writes, with a plain load and store; others read single values at any time.
final class LoopCounters: Sendable {
    /// Connections taken over.
    let accepted = Atomic<UInt64>(0)
    /// Connections told 503 for being too many.
    let refused = Atomic<UInt64>(0)
    /// Connections told 503 for being too many of their address.
    let refusedByAddress = Atomic<UInt64>(0)
    /// Requests told 503 because the loop was late.
    let shed = Atomic<UInt64>(0)
    /// Handshakes of TLS that came to their end.
    let handshakes = Atomic<UInt64>(0)
    /// Those among them that resumed an earlier session.
    let resumptions = Atomic<UInt64>(0)
    /// Handshakes of TLS that failed.
    let failedHandshakes = Atomic<UInt64>(0)
    /// Connections given to the loop and not yet closed: raised by the acceptor, lowered by the loop.
    let open = Atomic<Int>(0)
    /// Whole requests handed to the handler.
    let requests = Atomic<UInt64>(0)
    /// Exchanges that were deferred.
    let deferred = Atomic<UInt64>(0)
    /// Bytes read from sockets.
    let bytesRead = Atomic<UInt64>(0)
    /// Bytes written to sockets.
    let bytesWritten = Atomic<UInt64>(0)
    /// Connections closed because slow readers had too much output waiting.
    let closedForOutput = Atomic<UInt64>(0)
    /// Requests refused because too much content was there.
    let refusedForInput = Atomic<UInt64>(0)
    /// How long requests may have waited in the last minute.
    let lag = LoopLag()
    /// When the turn under way began, in microseconds of the monotonic clock; 0 while the loop waits.
    let turnBegin = Atomic<UInt64>(0)

    private static let codes = 600

    // Proof for the unsafe pointers: allocated in `init`, freed in `deinit`, never changed between; what they point to
    // is atomic.
    private nonisolated(unsafe) let answers: UnsafeMutablePointer<Atomic<UInt64>>
    private nonisolated(unsafe) let faults: UnsafeMutablePointer<Atomic<UInt64>>
    private nonisolated(unsafe) let timeouts: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        responses = LoopCounters.zeros(LoopCounters.codes)
        faults = LoopCounters.zeros(RequestFault.allCases.count)
        timeouts = LoopCounters.zeros(ConnectionTimeout.allCases.count)
    }

    deinit {
        responses.deallocate()
        faults.deallocate()
        timeouts.deallocate()
    }

    private static func zeros(_ count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let counters = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
        for index in 0..<count { (counters + index).initialize(to: Atomic(0)) }
        return counters
    }

    /// Counts a response by its status.
    @inline(__always)
    func countResponse(_ status: HTTPStatus) {
        responses[Int(status.code)].raise(by: 1)
    }

    /// Counts a request that no handler saw.
    func countFault(_ fault: RequestFault) {
        faults[Int(fault.rawValue)].raise(by: 1)
    }

    /// Counts a time-out.
    func countTimeout(_ timeout: ConnectionTimeout) {
        timeouts[Int(timeout.rawValue)].raise(by: 1)
    }

    /// The longest that requests may have waited in the last minute, those behind a turn that has not ended included.
    private func lagMaximum(at now: UInt64) -> UInt64 {
        let begin = turnBegin.load(ordering: .relaxed)
        return max(lag.maximum(at: now), begin > 0 && now > begin ? now - begin : 0)
    }

    /// The counters' values. Not one instant for all of them, but each is exact.
    func snapshot() -> LoopStatistics {
        var statistics = LoopStatistics()
        statistics.connectionsAccepted = accepted.load(ordering: .relaxed)
        statistics.connectionsRefused = refused.load(ordering: .relaxed)
        statistics.connectionsRefusedByAddress = refusedByAddress.load(ordering: .relaxed)
        statistics.requestsShed = shed.load(ordering: .relaxed)
        statistics.handshakes = handshakes.load(ordering: .relaxed)
        statistics.resumptions = resumptions.load(ordering: .relaxed)
        statistics.failedHandshakes = failedHandshakes.load(ordering: .relaxed)
        statistics.connectionsOpen = open.load(ordering: .relaxed)
        statistics.requests = requests.load(ordering: .relaxed)
        statistics.deferredResponses = deferred.load(ordering: .relaxed)
        statistics.bytesRead = bytesRead.load(ordering: .relaxed)
        statistics.bytesWritten = bytesWritten.load(ordering: .relaxed)
        statistics.closedForOutput = closedForOutput.load(ordering: .relaxed)
        statistics.refusedForInput = refusedForInput.load(ordering: .relaxed)
        statistics.lagMaximumMicroseconds = lagMaximum(at: UInt64(SystemClock.monotonicMicroseconds))
        for code in 100..<LoopCounters.codes {
            let count = responses[code].load(ordering: .relaxed)
            if count > 0 { statistics.answers[HTTPStatus(UInt16(code))] = count }
        }
        for fault in RequestFault.allCases {
            statistics.faults[fault] = faults[Int(fault.rawValue)].load(ordering: .relaxed)
        }
        for timeout in ConnectionTimeout.allCases {
            statistics.timeouts[timeout] = timeouts[Int(timeout.rawValue)].load(ordering: .relaxed)
        }
        return statistics
    }
}

extension Atomic where Value == UInt64 {
    /// Adds `amount`, without the locked instruction that only a second writer would need.
    @inline(__always)
    borrowing func raise(by amount: UInt64) {
        store(load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}
