import Synchronization

/// Which changes must stay in the stream, however old they are: those that are not in a log yet.
final class ChangeRetention: Sendable {
    private let needed = Atomic<Int64>(.max)

    /// The first change that somebody needs; `Int64.max` when nobody does.
    var firstNeeded: Int64 {
        get { needed.load(ordering: .acquiring) }
        set { needed.store(newValue, ordering: .releasing) }
    }
}
