import Dispatch
import Logging
import Platform

/// Tells systemd that the server is alive for as long as every event loop takes what it is sent. A loop that is stuck
/// is named in the log; systemd then ends the process with SIGABRT, which leaves a core, and starts it again.
final class LoopWatchdog: Sendable {
    private let loops: Int
    private let ask: Ask
    private let alive: @Sendable () -> Void
    private let logger: Logger
    private let interval: DispatchTimeInterval
    private let queue = DispatchQueue(label: "flag-server.watchdog")
    private let state = Locked(State())

    private struct State {
        /// Loops that have not answered what they were asked last.
        var silent: Set<Int> = []
        var round = 0
        /// How many looks found somebody silent, one after the other.
        var looks = 0
    }

    /// Sends a loop something and calls back when it takes it.
    typealias Ask = @Sendable (_ loop: Int, _ answered: @escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - loops: how many event loops there are.
    ///   - microseconds: after how long without a word systemd gives the server up.
    ///   - alive: tells systemd.
    init(
        loops: Int, microseconds: Int64, _ logger: Logger, alive: @escaping @Sendable () -> Void, ask: @escaping Ask
    ) {
        (self.loops, self.ask, self.alive, self.logger) = (loops, ask, alive, logger)
        // A word may come late twice before anybody worries.
        interval = .microseconds(Int(max(microseconds / 3, 1000)))
    }

    /// Begins to look. Until the process ends.
    func start() {
        askAll()
        lookSoon()
    }

    private func lookSoon() {
        queue.asyncAfter(deadline: .now() + interval) { [self] in
            look()
            lookSoon()
        }
    }

    private func look() {
        let (silent, looks) = state.withLock { state in
            state.looks = state.silent.isEmpty ? 0 : state.looks + 1
            return (state.silent.sorted(), state.looks)
        }
        guard silent.isEmpty else {
            if looks == 1 {
                logger.critical(
                    "an event loop is stuck: what it serves is not answered, and systemd starts the server anew",
                    metadata: ["loops": "\(silent.map(String.init).joined(separator: ", "))"])
            }
            return
        }
        alive()
        askAll()
    }

    private func askAll() {
        let round = state.withLock { state in
            state.silent = Set(0..<loops)
            state.round += 1
            return state.round
        }
        for loop in 0..<loops {
            ask(loop) { [state] in
                state.withLock { state in
                    if state.round == round { state.silent.remove(loop) }
                }
            }
        }
    }
}

extension LoopWatchdog {
    /// The loops that have not answered what they were asked last.
    var silent: Set<Int> { state.withLock { $0.silent } }

    /// How many looks found somebody silent, one after the other.
    var looks: Int { state.withLock { $0.looks } }
}
