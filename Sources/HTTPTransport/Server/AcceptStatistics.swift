import Synchronization

/// What the acceptor counted since the start.
package struct AcceptStatistics: Sendable, Equatable {
    /// How often accepting paused because the process was out of descriptors or memory.
    package internal(set) var pauses: UInt64 = 0
    /// Connections that were told 503 by means of the reserve descriptor.
    package internal(set) var refusedWithoutDescriptor: UInt64 = 0
    /// Connections that were closed without a response because more than enough were being told 503.
    package internal(set) var closed: UInt64 = 0

    /// Nothing yet.
    package init() {}

    init(pauses: UInt64, refusedWithoutDescriptor: UInt64, closed: UInt64) {
        self.pauses = pauses
        self.refusedWithoutDescriptor = refusedWithoutDescriptor
        self.closed = closed
    }
}

/// The acceptor's counters; it alone writes.
final class AcceptCounters: Sendable {
    let pauses = Atomic<UInt64>(0)
    let refusedWithoutDescriptor = Atomic<UInt64>(0)
    let closed = Atomic<UInt64>(0)

    func snapshot() -> AcceptStatistics {
        AcceptStatistics(
            pauses: pauses.load(ordering: .relaxed),
            refusedWithoutDescriptor: refusedWithoutDescriptor.load(ordering: .relaxed),
            closed: closed.load(ordering: .relaxed))
    }
}
