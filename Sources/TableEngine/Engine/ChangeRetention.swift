import DynamoModel
import Platform

/// What must stay in the change stream, however old it is and however much, and how much there is.
final class ChangeRetention: Sendable {
    private struct State {
        var followers: [String: FollowerProgress] = [:]
        var firstKept = Int64.max
        var size = StreamSize()
        var releasedBytes: Int64 = 0
    }

    private let state = Locked(State())

    /// Keeps what a follower needs, in the place of one of the same name.
    func attach(_ follower: FollowerProgress) { state.withLock { $0.followers[follower.name] = follower } }

    /// Who follows the changes, by name.
    var followers: [FollowerProgress] {
        state.withLock { $0.followers.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }
    }

    /// The first change that any follower needs; `Int64.max` when none does.
    var bound: Int64 { state.withLock { $0.followers.values.map(\.firstNeeded).min() ?? .max } }

    /// The first change whose time somebody keeps, be it in a log; `Int64.max` when nobody does.
    var firstKept: Int64 {
        get { state.withLock { $0.firstKept } }
        set { state.withLock { $0.firstKept = newValue } }
    }

    /// How much there is in the file.
    var size: StreamSize {
        get { state.withLock { $0.size } }
        set { state.withLock { $0.size = newValue } }
    }

    /// Changes of so many bytes are let go in the writer's transaction under way.
    func release(_ bytes: Int64) { state.withLock { $0.releasedBytes += bytes } }

    /// What was let go in the transaction under way, which is nothing from then on.
    func takeReleased() -> Int64 {
        state.withLock { state in
            defer { state.releasedBytes = 0 }
            return state.releasedBytes
        }
    }
}

/// How much there is in the change stream.
///
/// The bytes are counted as changes come and go, and noted in the file now and then, so that no start has to count a
/// stream of gigabytes. Those of a file that an earlier version has written are estimated until they are gone.
struct StreamSize: Sendable, Equatable {
    /// The first change, 0 when there is none.
    var first: Int64 = 0
    /// The last change that was counted.
    var last: Int64 = 0
    /// The changes behind this one are counted.
    var countedAfter: Int64 = 0
    /// How many bytes the counted ones have.
    var countedBytes: Int64 = 0
    /// About how many bytes each of the others has.
    var othersBytes: Int64 = 0

    /// How many changes there are.
    var changes: Int64 { first == 0 ? 0 : max(0, last - first + 1) }

    /// How many bytes there are.
    var bytes: Int64 {
        let others = first == 0 ? 0 : max(0, min(countedAfter, last) - first + 1)
        return max(0, countedBytes) + others * othersBytes
    }

    /// What a row takes beside its texts and images, about.
    static let rowBytes: Int64 = 24
}

/// How much there is in the change stream of a store.
package struct ChangeStreamStatistics: Sendable, Equatable {
    /// The number of changes.
    package let changes: Int64
    /// Their bytes, about.
    package let bytes: Int64
    /// The most bytes there should be; 0 for no bound.
    package let bytesMax: Int64
    /// When the first of them was committed, in milliseconds since 1970; nil when there is none.
    package let firstCommittedAt: Int64?
    /// How many of them a follower still needs.
    package let neededChanges: Int64
}
