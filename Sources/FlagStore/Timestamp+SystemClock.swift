import FlagCore
import Platform

extension Timestamp {
    /// What the machine's clock says now.
    package static var systemClock: Timestamp {
        Timestamp(millisecondsSinceEpoch: SystemClock.wallMilliseconds)
    }
}
