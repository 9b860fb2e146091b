import Dispatch
import Glibc
import Logging
import Platform

/// Sees to it that a process which was asked to stop does end: when it takes longer than it may, and when it is asked
/// again. What was answered is on disk by then, so that nothing is lost by it; what was not is what the peers find out.
struct StopWatch {
    /// How much longer than its drain a stop may take: closing the store takes its time.
    private static let grace = Duration.seconds(2)

    private let signals: ProcessSignals
    private let log: StandardErrorLog
    private let logger: Logger
    // Of their own: whatever holds the stop up may hold other queues up as well.
    private let waiting = DispatchQueue(label: "flag-server.stop.signal")
    private let timer = DispatchQueue(label: "flag-server.stop.time")

    /// Begins to watch.
    ///
    /// - Parameter drain: how long the requests under way may take.
    init(_ signals: ProcessSignals, drain: Duration, _ log: StandardErrorLog, _ logger: Logger) {
        self.signals = signals
        (self.log, self.logger) = (log, logger)
        let milliseconds = Int((drain + Self.grace) / .milliseconds(1))
        timer.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
            logger.error(
                "ended although work was under way: it took longer than timeouts.drain; what was answered is on disk")
            log.flush()
            _exit(EXIT_FAILURE)
        }
        waiting.async {
            while true {
                guard case .stop(let name) = signals.next() else { continue }
                logger.warning("ended at once, asked to stop again", metadata: ["signal": "\(name)"])
                log.flush()
                _exit(EXIT_FAILURE)
            }
        }
    }
}
