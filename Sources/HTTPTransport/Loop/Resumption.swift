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
        if connection.pointee.isReady { return }
        connection.pointee.isReady = true
        loop.pointee.ready.append(connection)
    }
}
