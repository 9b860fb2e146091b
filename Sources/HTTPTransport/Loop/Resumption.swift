/// Answers that come after their handler's call: deferred ones, and the transport's own in a handler's place.
enum Resumption {
    /// Writes the response to an exchange that waits for one, and has the loop go on with the connection.
    ///
    /// - Parameters:
    ///   - connection: A connection in the phase `answering`.
    ///   - loop: Its loop.
    ///   - body: Answers.
    static func answer(
        _ connection: UnsafeMutablePointer<HTTPConnection>, loop: UnsafeMutablePointer<LoopState>,
        _ body: (inout Exchange) -> Void
    ) {
        // No second answer has this ticket.
        connection.pointee.ticket &+= 1
        if connection.pointee.machine.phase == .parked { return refuseParked(connection, loop: loop, body) }
        var exchange = Exchange(connection: connection, loop: loop)
        body(&exchange)
        exchange.completeUnanswered()
        connection.pointee.upload = nil
        connection.pointee.watch = nil
        if connection.pointee.stream != nil { connection.pointee.machine.streams() }
        // While its handler is still in the call that deferred, the loop itself goes on when it returns.
        if loop.pointee.current == connection { return }
        if connection.pointee.stream == nil {
            connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
        }
        goOnSoon(connection, loop: loop)
    }

    /// Answers a request on which nobody has decided in time: by its head, as one that is refused.
    private static func refuseParked(
        _ connection: UnsafeMutablePointer<HTTPConnection>, loop: UnsafeMutablePointer<LoopState>,
        _ body: (inout Exchange) -> Void
    ) {
        connection.pointee.wasParked = false
        if !connection.pointee.machine.canSkipContent(connection.pointee.input) {
            connection.pointee.machine.keepsAlive = false
        }
        var exchange = Exchange(connection: connection, loop: loop)
        body(&exchange)
        exchange.completeUnanswered()
        loop.pointee.counters.requests.raise(by: 1)
        connection.pointee.machine.handedHead(&connection.pointee.input)
        connection.pointee.machine.answered(loop.pointee.timeouts, now: loop.pointee.monotonic)
        goOnSoon(connection, loop: loop)
    }

    private static func goOnSoon(
        _ connection: UnsafeMutablePointer<HTTPConnection>, loop: UnsafeMutablePointer<LoopState>
    ) {
        if connection.pointee.isReady { return }
        connection.pointee.isReady = true
        loop.pointee.ready.append(connection)
    }
}
