/// What a program does with requests. One handler serves one event loop and is used on that loop only, so it needs no
/// locks and is not `Sendable`.
package protocol HTTPHandler: AnyObject, SendableMetatype {
    /// What other threads may send to the handler with `HTTPServer.send`.
    associatedtype Message: Sendable

    /// Decides on a request by its head, before any of its content is asked for. May answer, and then the content is
    /// not read: what is little of it and sure to come is dropped, behind more the connection closes. May not defer the
    /// answer, but have the request wait until it can be decided (`Admission.pending`).
    ///
    /// Without an implementation, all are taken, but for a loop that is late.
    ///
    /// - Parameters:
    ///   - request: The request, without content; its slices end with the call.
    ///   - exchange: Where the response goes, if there is one already.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission

    /// Answers one request: at once with `exchange.respond`, or later after `exchange.deferred()`. Must not block: all
    /// connections of the loop wait. An exchange left without either is answered 500.
    ///
    /// - Parameters:
    ///   - request: The request; its slices end with the call.
    ///   - token: What `admit` gave for it.
    ///   - exchange: Where the response goes.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange)

    /// Takes a message. Every message whose `send` returned before a request's bytes were read arrives before that
    /// request is handled; messages of one sender arrive in order. Must not block.
    func receive(_ message: Message)
}

extension HTTPHandler {
    package func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        guard exchange.isLate else { return .taken }
        exchange.shed()
        return .answered
    }
}
