import Synchronization

/// Whether requests should be sent to this server, as far as the process itself knows; the composition root turns the
/// switches, `GET /health/ready` reads them.
final class Readiness: Sendable {
    private let warm = Atomic<Bool>(false)
    private let draining = Atomic<Bool>(false)
    private let writable = Atomic<Bool>(true)

    /// Not warm, not draining, and writes succeed.
    init() {}

    /// Whether the cache has what it needs before the first request: kill switches and the tenants with overrides.
    var isWarm: Bool { warm.load(ordering: .acquiring) }
    /// Whether the server is about to stop.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Whether writes reach the store. Evaluations go on without.
    var isWritable: Bool { writable.load(ordering: .acquiring) }

    /// To be called when writes begin to fail, and when they succeed again.
    func mark(writable isWritable: Bool) { writable.store(isWritable, ordering: .releasing) }
    /// To be called once everything was loaded that has to be.
    func markWarm() { warm.store(true, ordering: .releasing) }
    /// To be called before the listening socket closes.
    func markDraining() { draining.store(true, ordering: .releasing) }
}
