import CLinux
import Glibc
import Platform
import Synchronization

/// Accepts connections and gives each to the loop with the fewest. Runs on a queue of its own.
final class Acceptor: Sendable {
    /// How long to wait when the process is out of descriptors or memory; connections queue up in the kernel meanwhile.
    private static let pauseMilliseconds: Int32 = 50
    /// After so many pauses without a descriptor, those who wait are told 503.
    private static let patientPauses = 20

    private let listeners: [Listener]
    private let loops: [LoopEnd]
    private let limits: HTTPLimits
    private let addresses: AddressCounts
    private let errorBody: HTTPServerConfiguration.ErrorBody
    private let standingFields: [(name: StaticString, value: StaticString)]
    private let isSecured: Bool
    private let counters = AcceptCounters()
    private let bell: Bell
    private let epoll: Int32
    private let drainMilliseconds = Atomic<Int>(-1)

    /// One loop as the acceptor sees it.
    struct LoopEnd: Sendable {
        let mailbox: Mailbox<LoopLetter>
        let counters: LoopCounters
    }

    /// - Throws: `TransportError.system` when the process is out of descriptors.
    init(
        listeners: [Listener], loops: [LoopEnd], addresses: AddressCounts, configuration: HTTPServerConfiguration
    ) throws(TransportError) {
        self.listeners = listeners
        self.loops = loops
        self.addresses = addresses
        limits = configuration.limits
        errorBody = configuration.errorBody
        standingFields = configuration.standingFields
        isSecured = configuration.tls != nil
        bell = try Bell()
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(operation: "epoll_create1", code: errno) }
        for descriptor in listeners.map(\.descriptor) + [bell.descriptor] {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
                throw .system(operation: "epoll_ctl", code: errno)
            }
        }
    }

    deinit {
        close(epoll)
    }

    /// Has `run` take what has connected already (but to sockets at which others go on listening), stop listening, tell
    /// the loops to drain, and return.
    ///
    /// - Parameter milliseconds: How long the loops may take.
    func drain(milliseconds: Int) {
        drainMilliseconds.store(milliseconds, ordering: .sequentiallyConsistent)
        bell.ring()
    }

    /// Accepts until `drain`.
    func run() {
        var reserve = ReserveDescriptor()
        var pauses = 0
        while drainMilliseconds.load(ordering: .sequentiallyConsistent) < 0 {
            var events = [epoll_event](repeating: epoll_event(), count: listeners.count + 1)
            _ = epoll_wait(epoll, &events, Int32(events.count), -1)
            let starved = listeners.filter { !acceptAll($0) }
            if starved.isEmpty {
                pauses = 0
                continue
            }
            pauses += 1
            pause()
            if pauses > Acceptor.patientPauses { for listener in starved { refuse(on: listener, &reserve) } }
        }
        for listener in listeners {
            // Who has connected to a socket that stays open waits there for the next server.
            if !listener.isInherited { _ = acceptAll(listener) }
            listener.stop()
        }
        let milliseconds = drainMilliseconds.load(ordering: .sequentiallyConsistent)
        for loop in loops { loop.mailbox.send(.drain(milliseconds: milliseconds)) }
    }

    /// Accepts all that wait.
    ///
    /// - Returns: Whether there was descriptor and memory for them.
    private func acceptAll(_ listener: Listener) -> Bool {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    clinux_accept_nonblocking(listener.descriptor, $0, &length)
                }
            }
            if descriptor >= 0 {
                place(descriptor, PeerAddress(storage, of: descriptor))
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
            case EINTR, ECONNABORTED, EPROTO: continue
            // EAGAIN: none is left. Network errors of one connection, which accept(2) passes on: it will be called
            // again.
            default: return true
            }
        }
    }

    /// Tells those who have waited long enough that there is no descriptor for them.
    private func refuse(on listener: Listener, _ reserve: inout ReserveDescriptor) {
        let (contentType, body) = errorBody(.serviceUnavailable, "The server is out of descriptors.", nil)
        var line = DateLine(followedBy: standingFields)
        line.update(SystemClock.coarseWallMilliseconds)
        let head =
            "HTTP/1.1 503 Service Unavailable\r\n\(String(decoding: line.bytes, as: UTF8.self))"
            + "Content-Type: \(contentType)\r\nRetry-After: 1\r\nConnection: close\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        for _ in 0..<limits.refusedConnections {
            guard reserve.refuse(on: listener.descriptor, with: isSecured ? [] : Array(head.utf8) + body) else {
                return
            }
            counters.refusedWithoutDescriptor.raise(by: 1)
        }
    }

    /// What was counted.
    func statistics() -> AcceptStatistics { counters.snapshot() }

    /// Out of descriptors: the listener stays readable, so polling it would spin.
    private func pause() {
        counters.pauses.raise(by: 1)
        var wake = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&wake, 1, Acceptor.pauseMilliseconds)
    }

    private func place(_ descriptor: Int32, _ peer: PeerAddress) {
        var total = 0
        var fewest = Int.max
        var chosen = loops[0]
        for loop in loops {
            let open = loop.counters.open.load(ordering: .relaxed)
            total += open
            if open < fewest {
                fewest = open
                chosen = loop
            }
        }
        if total >= limits.connections + limits.refusedConnections {
            counters.closed.raise(by: 1)
            close(descriptor)
            return
        }
        let isWithin = addresses.enter(peer)
        let refusal: ConnectionRefusal? = total >= limits.connections ? .total : isWithin ? nil : .address
        chosen.counters.open.add(1, ordering: .relaxed)
        chosen.mailbox.send(.adopt(descriptor: descriptor, peer: peer, refusal: refusal))
    }
}
