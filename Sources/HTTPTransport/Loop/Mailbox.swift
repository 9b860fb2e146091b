import CLinux
import Glibc
import Platform
import Synchronization

/// Letters from any thread to one loop, with one wake of the loop for all that pile up until it looks.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Locked<[Letter]>([])
    private let waiting = Atomic<Bool>(false)
    private let bell: Bell

    /// A mailbox that rings `bell` when it is no longer empty.
    init(bell: Bell) {
        self.bell = bell
    }

    /// Whether a letter may wait. Set before `send` returns.
    @inline(__always)
    var hasMail: Bool { waiting.load(ordering: .sequentiallyConsistent) }

    /// Leaves `letter` and wakes the loop unless it was woken already.
    ///
    /// - Complexity: Amortised O(1); a system call for the first letter of a batch only.
    func send(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
        if !waiting.exchange(true, ordering: .sequentiallyConsistent) { bell.ring() }
    }

    /// Takes all letters, oldest first.
    ///
    /// The flag falls before the letters are taken: one that comes in between raises it again, and at worst the loop
    /// looks once in vain.
    func takeAll() -> [Letter] {
        waiting.store(false, ordering: .sequentiallyConsistent)
        return letters.withLock { letters in
            let taken = letters
            letters = []
            return taken
        }
    }
}

/// An eventfd: what a loop waits on beside its connections, so that others can wake it.
final class Bell: Sendable {
    /// The eventfd, for epoll.
    let descriptor: Int32

    /// - Throws: `TransportError.system` when the process is out of descriptors.
    init() throws(TransportError) {
        descriptor = clinux_eventfd()
        guard descriptor >= 0 else { throw .system(operation: "eventfd", code: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Wakes the loop. Fails only when the counter is full: then the loop is awake anyway.
    func ring() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Stops the ringing.
    func silence() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
