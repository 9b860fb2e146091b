import CLinux
import Dispatch
import Glibc
import Platform

/// The server without the program's types: listeners, acceptor, loops.
final class ServerCore: Sendable {
    /// What wakes each loop.
    let bells: [Bell]
    /// The first TCP address's port.
    let port: Int
    private let configuration: HTTPServerConfiguration
    private let loops: [Acceptor.LoopEnd]
    private let epolls: [Int32]
    private let acceptor: Acceptor
    private let addresses: AddressCounts
    private let uploads: Permits
    private let largeResponses: Permits
    private let certificates: TLSCertificates?
    /// Holds the acceptor and every loop that has not ended.
    private let running = DispatchGroup()

    /// - Throws: `TransportError` when a setting is out of bounds, an address is taken or the system refuses.
    init(configuration: HTTPServerConfiguration) throws(TransportError) {
        try configuration.validate()
        self.configuration = configuration
        if let tls = configuration.tls {
            certificates = try TLSCertificates(tls)
        } else {
            certificates = nil
        }
        var bells: [Bell] = []
        var epolls: [Int32] = []
        for _ in 0..<configuration.loops {
            bells.append(try Bell())
            let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
            guard epoll >= 0 else { throw .system(operation: "epoll_create1", code: errno) }
            epolls.append(epoll)
        }
        self.bells = bells
        self.epolls = epolls
        loops = bells.map { Acceptor.LoopEnd(mailbox: Mailbox(bell: $0), counters: LoopCounters()) }
        let listeners = try ServerCore.listen(configuration.addresses)
        port = listeners.first { $0.port > 0 }?.port ?? 0
        addresses = AddressCounts(
            limit: configuration.limits.connectionsPerAddress, exempt: configuration.trustedProxies)
        uploads = Permits(limit: configuration.limits.uploadsAtOnce)
        largeResponses = Permits(limit: configuration.limits.largeResponsesAtOnce)
        acceptor = try Acceptor(
            listeners: listeners, loops: loops, addresses: addresses, configuration: configuration)
    }

    private static func listen(_ addresses: [SocketAddress]) throws(TransportError) -> [Listener] {
        var listeners: [Listener] = []
        do throws(TransportError) {
            for address in addresses { listeners.append(try Listener(address)) }
        } catch {
            for listener in listeners { listener.stop() }
            throw error
        }
        return listeners
    }

    /// Starts the loops and the acceptor, each on a serial queue of its own: they share no thread with other work. No
    /// queue of the program has a priority of its own: a thread inherits that of the one that starts it, only root may
    /// raise it again, and Dispatch complains of that to the journal.
    ///
    /// - Parameter makeHandler: Called on each loop.
    func start(makeHandler: @escaping @Sendable (LoopContext) -> ErasedHandler) {
        for (index, loop) in loops.enumerated() {
            let (configuration, epoll, bell) = (configuration, epolls[index], bells[index])
            let (addresses, uploads, largeResponses) = (addresses, uploads, largeResponses)
            let certificates = certificates
            DispatchQueue(label: "http.loop.\(index)").async(group: running) {
                let state = UnsafeMutablePointer<LoopState>.allocate(capacity: 1)
                state.initialize(
                    to: LoopState(
                        index: index, configuration: configuration, mailbox: loop.mailbox, counters: loop.counters,
                        addresses: addresses, uploads: uploads, largeResponses: largeResponses,
                        certificates: certificates))
                ServerCore.run(state, epoll, bell, makeHandler)
                state.deinitialize(count: 1)
                state.deallocate()
            }
        }
        DispatchQueue(label: "http.acceptor").async(group: running) { [acceptor] in
            acceptor.run()
        }
    }

    /// Loop and handler end before the state they use.
    private static func run(
        _ state: UnsafeMutablePointer<LoopState>, _ epoll: Int32, _ bell: Bell,
        _ makeHandler: (LoopContext) -> ErasedHandler
    ) {
        let handler = makeHandler(LoopContext(state: state))
        EventLoop(epoll: epoll, bell: bell, state: state, handler: handler).run()
    }

    /// Ends the acceptor, then the loops.
    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        acceptor.drain(milliseconds: max(0, duration.milliseconds))
        running.notify(queue: DispatchQueue(label: "http.drained"), execute: completion)
    }

    /// What each loop counted.
    func statistics() -> [LoopStatistics] { loops.map { $0.counters.snapshot() } }

    /// When the certificate ends, in seconds since 1970.
    var certificateEnd: Int64? { certificates?.end }

    /// Reads the certificate and its key again, for connections to come.
    func reloadCertificates() throws(TransportError) { try certificates?.reload() }

    /// What the acceptor counted.
    func acceptStatistics() -> AcceptStatistics { acceptor.statistics() }
}
