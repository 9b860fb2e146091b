import Dispatch
import Glibc

/// Turns SIGTERM and SIGINT into a call on a queue of its own.
final class TerminationSignals: Sendable {
    // `unsafe` holds no danger here: dispatch objects may be used from any thread, only Swift's import does not say so.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    /// Starts listening; when this returns, every signal is delivered, and none ends the process by itself any more.
    ///
    /// - Parameter deliver: Called for every signal with its name. Never on a thread that serves requests.
    init(_ deliver: @escaping @Sendable (_ name: String) -> Void) {
        let queue = DispatchQueue(label: "flag-server.signals")
        // A source begins to listen on a thread of Dispatch's, some time after it was activated. Until then a signal is
        // lost, since it is ignored: whoever stops the server right after it was ready would wait for ever.
        let registered = DispatchGroup()
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { deliver(name) }
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.activate()
            return source
        }
        registered.wait()
    }

    /// Stops listening and lets the signals end the process again.
    func cancel() {
        for source in sources { source.cancel() }
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
    }
}
