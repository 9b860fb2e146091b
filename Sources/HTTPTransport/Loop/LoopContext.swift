/// What a handler may ask of its event loop. Confined to the loop: it cannot be sent elsewhere.
package final class LoopContext {
    private let state: UnsafeMutablePointer<LoopState>

    init(state: UnsafeMutablePointer<LoopState>) {
        self.state = state
    }

    /// The loop's number, from 0.
    package var index: Int { state.pointee.index }

    /// Milliseconds of the monotonic clock (`CLOCK_MONOTONIC`), read when the loop last woke.
    package var monotonicMilliseconds: Int64 { state.pointee.monotonic }

    /// Milliseconds since 1970, read when the loop last woke.
    package var wallMilliseconds: Int64 { state.pointee.wall }

    /// Whether a request that has waited since then has waited longer than requests may (`HTTPTimeouts.lag`).
    ///
    /// - Parameter milliseconds: of the monotonic clock.
    package func isLate(since milliseconds: Int64) -> Bool {
        state.pointee.timeouts.lag != .max
            && (state.pointee.monotonic &- milliseconds) &* 1000 > state.pointee.timeouts.lag
    }

    /// Counts a request that the handler refused for that, as the loop counts those that it refuses by itself.
    package func countShed() { state.pointee.counters.shed.raise(by: 1) }

    /// Whether somebody still waits for a deferred answer of this very loop. O(1).
    package func awaits(_ response: DeferredResponse) -> Bool {
        precondition(response.mailbox === state.pointee.mailbox, "an answer is awaited on its own loop")
        return state.pointee.table.find(slot: response.slot, ticket: response.ticket) != nil
    }

    /// Whether a request still waits for its decision. O(1).
    package func awaits(_ parked: ParkedRequest) -> Bool { state.pointee.table.find(parked) != nil }

    /// Has `admit` asked again about a request that waits, before the loop sleeps again. Does nothing where it waits no
    /// more. May be called from `admit`, `handle` and `receive`.
    package func admitAgain(_ parked: ParkedRequest) {
        guard let connection = state.pointee.table.find(parked) else { return }
        connection.pointee.ticket &+= 1
        connection.pointee.machine.releaseParked()
        if connection.pointee.isReady { return }
        connection.pointee.isReady = true
        state.pointee.ready.append(connection)
    }

    /// Answers a deferred exchange of this very loop, on the loop: the response is written straight into the
    /// connection's buffer and sent before the loop sleeps again. May be called from `handle` and `receive`.
    ///
    /// - Parameters:
    ///   - answer: What `Exchange.deferred` returned, on this loop.
    ///   - body: Answers; is not called when nobody waits any more. Left without a response, the exchange is answered
    ///     500. It cannot be deferred again.
    /// - Returns: Whether somebody still waited.
    @discardableResult
    package func resume(_ response: DeferredResponse, _ body: (inout Exchange) -> Void) -> Bool {
        precondition(response.mailbox === state.pointee.mailbox, "an answer is resumed on its own loop")
        guard let connection = state.pointee.table.find(slot: response.slot, ticket: response.ticket) else {
            return false
        }
        Resumption.answer(connection, loop: state, body)
        return true
    }
}
