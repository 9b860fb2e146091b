import Dispatch

/// An HTTP/1.1 server: one listening socket an address, one acceptor, and event loops that each have their own
/// connections and their own handler.
///
/// It is bound before its handlers are made, so that these can be given what sends to it.
package final class HTTPServer<Message: Sendable>: Sendable {
    private let core: ServerCore
    private let inboxes: [Mailbox<Message>]

    /// Binds the addresses and listens; connections queue up from now on, and are served after `start`.
    ///
    /// - Parameter configuration: How to listen, and what to allow.
    /// - Throws: `TransportError` when a setting is out of bounds, an address is taken or the system refuses.
    package init(configuration: HTTPServerConfiguration) throws(TransportError) {
        core = try ServerCore(configuration: configuration)
        inboxes = core.bells.map { Mailbox(bell: $0) }
    }

    /// Starts the loops and begins to accept. To be called once.
    ///
    /// - Parameter makeHandler: Called once for each loop, on the loop, before its first request.
    package func start<Handler: HTTPHandler>(
        makeHandler: @escaping @Sendable (LoopContext) -> Handler
    ) where Handler.Message == Message {
        core.start { [inboxes] context in
            HandlerOfOneKind(handler: makeHandler(context), inbox: inboxes[context.index])
        }
    }

    /// The first TCP address's port, chosen by the system when 0 was asked for; 0 when there is no TCP address.
    package var port: Int { core.port }

    /// How many event loops there are.
    package var loopCount: Int { inboxes.count }

    /// Sends a message to one loop's handler, from any thread. Wakes the loop at most once for many messages. What is
    /// sent before `start` is received before the first request.
    ///
    /// - Parameters:
    ///   - message: What the handler receives.
    ///   - loop: The loop's number, from 0.
    package func send(_ message: Message, toLoop loop: Int) {
        inboxes[loop].send(message)
    }

    /// Stops listening, closes idle connections, finishes what is in flight, then ends the loops. To be called once,
    /// after `start`.
    ///
    /// - Parameters:
    ///   - duration: After this, whatever is still open is closed.
    ///   - completion: Called once, on a queue of its own, when no connection is left and no handler will be called any
    ///     more.
    package func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        core.drain(within: duration, completion: completion)
    }

    /// What each loop counted, by loop.
    package func statistics() -> [LoopStatistics] { core.statistics() }

    /// Reads the certificate and its key again: connections that come from now on get them, those that are open go on
    /// with what they have. Reads files.
    ///
    /// - Throws: `TransportError.certificate`; then nothing has changed.
    package func reloadCertificates() throws(TransportError) { try core.reloadCertificates() }

    /// When the certificate ends that new connections get, in seconds since 1970; nil without TLS.
    package var certificateEnd: Int64? { core.certificateEnd }

    /// What the acceptor counted.
    package func acceptStatistics() -> AcceptStatistics { core.acceptStatistics() }
}
