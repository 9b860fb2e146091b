import Synchronization

/// Says whether the response that work is done for is still awaited. From any thread.
///
/// It is no more once the connection is gone, the client has ended its side of it (who does so while its request takes
/// long is taken to have left), or the transport has answered in the place of work that took too long.
package final class ResponseWatch: Sendable {
    private let isOver = Atomic(false)

    /// A watch for one exchange, which `Exchange.deferred` gets.
    package init() {}

    /// Whether the response is still awaited.
    package var isAwaited: Bool { !isOver.load(ordering: .relaxed) }

    /// The response is awaited no more.
    func end() { isOver.store(true, ordering: .relaxed) }
}
