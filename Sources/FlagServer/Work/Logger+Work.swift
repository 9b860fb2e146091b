import Administration
import FlagCore
import FlagStore
import Logging

extension Logger {
    /// Tells of long work that has ended, and how.
    func report(_ work: WorkList.Entry, _ outcome: WorkList.Outcome) {
        var metadata: Logger.Metadata = [
            "work": "\(work.what)", "by": "\(work.client)", "startedAt": "\(work.startedAt.rfc3339)",
        ]
        switch outcome {
        case .done:
            metadata["changes"] = .stringConvertible(work.progress.counts.done)
            notice("long work done", metadata: metadata)
        case .stopped(let stopped):
            metadata["reason"] = "\(stopped)"
            notice("long work stopped", metadata: metadata)
        case .failed(let reason):
            // A file with many mistakes has a long list of them; its sender has it whole.
            metadata["reason"] = "\(reason.prefix(500))"
            notice("long work failed", metadata: metadata)
        }
    }
}
