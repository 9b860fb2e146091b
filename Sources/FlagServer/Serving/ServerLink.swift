import HTTPTransport
import Platform

/// The way from other threads to the event loops.
///
/// The loops' handlers need the service, the service needs a way to the loops: this is what is there before the server
/// is.
final class ServerLink: Sendable {
    private let server = Locked<HTTPServer<LoopHandler>?>(nil)

    /// A link to no server yet.
    init() {}

    /// Leads to `server` from now on. To be called before anything is sent.
    func attach(_ server: HTTPServer<LoopHandler>) {
        self.server.withLock { $0 = server }
    }

    /// Leads nowhere from now on, which also ends the cycle of references through the handlers.
    func detach() {
        server.withLock { $0 = nil }
    }

    /// Sends a message to one loop; after `detach` it is dropped.
    func send(_ message: LoopHandler.Message, toLoop loop: Int) {
        current?.send(message, toLoop: loop)
    }

    /// What each loop of the transport counted.
    func statistics() -> [LoopStatistics] {
        current?.statistics() ?? []
    }

    /// What the transport's acceptor counted.
    func acceptStatistics() -> AcceptStatistics {
        current?.acceptStatistics() ?? AcceptStatistics()
    }

    private var current: HTTPServer<LoopHandler>? {
        server.withLock { $0 }
    }
}
