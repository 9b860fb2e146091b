import Glibc

/// A value that several threads share behind a pthread mutex.
///
/// A pthread mutex rather than `Synchronization.Mutex`: uncontended it costs a third, and the thread sanitizer
/// understands it.
public final class Locked<Value>: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `value` is touched only in `withLock`, while this mutex is held, and what goes
    // in or comes out is `sending`. The mutex lives at a fixed address for the object's whole life, as pthreads asks.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline var value: Value

    /// Takes over `value`; from now on it is reached through `withLock` only.
    @inlinable
    public init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let status = pthread_mutex_init(mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed: \(status)")
        self.value = value
    }

    @inlinable
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the value. Not recursive: `body` must not come back to the same lock.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
