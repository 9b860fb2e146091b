import Dispatch
import Glibc

/// Turns SIGTERM and SIGINT into a call on a queue of its own.
final class TerminationSignals: Sendable {
    // `unsafe` holds no danger here: dispatch objects may be used from any thread, only Swift's import does not say so.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    /// Starts listening; from now on the signals end the process no more by themselves.
    ///
    /// - Parameter deliver: Called for every signal with its name. Never on a thread that serves requests.
    init(_ deliver: @escaping @Sendable (_ name: String) -> Void) {
        let queue = DispatchQueue(label: "flag-server.signals")
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { deliver(name) }
            source.activate()
            return source
        }
    }

    /// Stops listening and lets the signals end the process again.
    func cancel() {
        for source in sources { source.cancel() }
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
    }
}
