import Dispatch
import Glibc
import Lock

/// The server without the program's types: listeners, acceptor, loops.
final class ServerCore: Sendable {
    let configuration: HTTPServerConfiguration
    let bells: [Bell]
    let port: Int
    private let mailboxes: [Mailbox<LoopLetter>]
    private let counters: [LoopCounters]

    init(configuration: HTTPServerConfiguration) throws(TransportError) {
        try configuration.validate()
        self.configuration = configuration
        var bells: [Bell] = []
        for _ in 0..<configuration.loops { bells.append(try Bell()) }
        self.bells = bells
        mailboxes = bells.map { Mailbox(bell: $0) }
        counters = bells.map { _ in LoopCounters() }
        port = 0
    }

    func start(makeHandler: @escaping @Sendable (LoopContext) -> LoopHandler) {}

    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {}

    func statistics() -> [LoopStatistics] { counters.map { $0.snapshot() } }
}
