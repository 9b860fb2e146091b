/// What a program does with requests. One handler serves one event loop and is used on that loop only, so it needs no
/// locks and is not `Sendable`.
package protocol HTTPHandler: AnyObject, SendableMetatype {
    /// What other threads may send to the handler with `HTTPServer.send`.
    associatedtype Message: Sendable

    /// Answers one request: at once with `exchange.respond`, or later after `exchange.deferred()`. Must not block: all
    /// connections of the loop wait. An exchange left without either is answered 500.
    ///
    /// - Parameters:
    ///   - request: The request; its slices end with the call.
    ///   - exchange: Where the answer goes.
    func handle(_ request: borrowing HTTPRequest, _ exchange: inout Exchange)

    /// Answers a request whose client waits to be asked for its content (RFC 9110 §10.1.1), or whose content is an
    /// upload that has only begun, if the answer is the same whatever the content is, such as 404. Leaves the exchange
    /// alone otherwise: the content is read, and `handle` called when it is there. May not defer. Without an
    /// implementation, all content is read.
    ///
    /// - Parameters:
    ///   - request: The request, without content.
    ///   - exchange: Where the answer goes; the connection closes behind it.
    func answerWithoutContent(_ request: borrowing HTTPRequest, _ exchange: inout Exchange)

    /// Takes a message. Every message whose `send` returned before a request's bytes were read arrives before that
    /// request is handled; messages of one sender arrive in order. Must not block.
    func receive(_ message: Message)

    /// Whether this request is answered even by a loop that is late, as health checks and emergencies are. Others are
    /// answered 503 then. Asked only in that case; without an implementation, nothing is.
    func isEssential(_ request: borrowing HTTPRequest) -> Bool
}

extension HTTPHandler {
    package func answerWithoutContent(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {}

    package func isEssential(_ request: borrowing HTTPRequest) -> Bool { false }
}
