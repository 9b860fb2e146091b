import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// Follows the changes of the flag table, whoever makes them, and sees to what follows from them:
///
/// - derived attributes of items that were written by hand are corrected, until nothing is left to correct;
/// - the environment's revision is raised where the writer did not do it;
/// - when an item is no valid flag or override, the form that was valid last is kept, for after a restart;
/// - every flag's history gets its entries, with what the flag says by then.
///
/// How far the changes have been looked at is stored with what was done about them: after a crash the follower goes on
/// there. Doing something twice does no harm. Where the change stream does not reach back so far (a restore, a server
/// that was off for long), all items of the table are looked at once.
package final class FlagTableFollower: Sendable {
    let upkeep: FlagTableUpkeep
    private let follower: ChangeFollower<FlagTableUpkeep>

    /// What it is called among those who follow the changes of a store.
    package static let name = "flag-table"
    /// The name of the server's principal, where it corrects what others wrote.
    package static let repairer = FlagTableUpkeep.name

    /// Everything happens here, one batch after the other.
    var queue: DispatchQueue { follower.queue }

    /// A follower that has not begun.
    ///
    /// - Parameters:
    ///   - repository: the flag table.
    ///   - storeID: the store's identifier: in a restored store the position of the old one means nothing.
    ///   - limits: how much histories keep.
    ///   - report: told of what an operator should know; called on any thread, must not block.
    package init(
        repository: FlagRepository, storeID: String, limits: HistoryLimits = HistoryLimits(),
        report: @escaping @Sendable (FollowerEvent) -> Void = { _ in }
    ) {
        let queue = DispatchQueue(label: "flag-table-follower")
        upkeep = FlagTableUpkeep(
            repository: repository, storeID: storeID, limits: limits, queue: queue, report: report)
        var timing = FollowerTiming()
        timing.passedMaximum = FlagTableUpkeep.positionGap
        follower = ChangeFollower(Self.name, of: repository.store, upkeep, on: queue, timing: timing)
    }

    /// Begins: looks at what happened since the follower of the last process stopped, then at every change as it
    /// comes. Blocks until the former is done, unless all of the table must be looked at, which goes on beside.
    ///
    /// A store that does not answer now is asked again later: flags are served all the same.
    package func start() {
        follower.attach()
        queue.sync { try? follower.turn() }
    }

    /// Looks at nothing more. What was not done is done after the next start.
    package func stop() { follower.stop() }

    /// Looks at all items once more: the table is another one of the same name. Returns at once.
    package func lookAtAllItems() {
        queue.async { [upkeep] in upkeep.prepareForReplacement() }
        follower.sweep()
    }

    /// What was done so far.
    package var statistics: FollowerStatistics {
        var statistics = upkeep.statistics
        statistics.waiting = follower.progress.report.pendingChanges
        return statistics
    }

    /// Waits until every change that was committed before the call has been looked at, and is told.
    package func waitUntilIdle() { follower.waitUntilIdle() }

    /// Has whoever reads a history wait for what was just committed, as long as there is the follower.
    package func attachHistories() {
        upkeep.repository.histories.attach { [weak self] in self?.catchUp(within: Self.patience) ?? true }
    }

    /// How long somebody who reads a history waits for what was just committed.
    private static let patience = DispatchTimeInterval.seconds(5)

    /// Waits until every change that was committed before the call has been looked at, but not longer than `patience`.
    /// What is being counted may be told later.
    ///
    /// - Returns: whether they have been.
    package func catchUp(within patience: DispatchTimeInterval) -> Bool {
        let done = DispatchSemaphore(value: 0)
        // A commit has put its turn on the queue before it is answered.
        queue.async { done.signal() }
        return done.wait(timeout: .now() + patience) == .success
    }
}

/// Something that an operator should know.
package enum FollowerEvent: Sendable {
    /// The derived attributes of an item were corrected.
    case corrected(partition: String, sort: String, attributes: [String])
    /// They cannot be: an item with them would be too large, for example.
    case uncorrectable(partition: String, sort: String, reason: String)
    /// Something that follows from a change cannot be done, now or later: why, and the key of what it was about.
    case setAside(partition: String, sort: String, reason: String)
    /// Somebody put items under keys that nothing is looked for under: one of them, and how many more at once.
    case misplaced(partition: String, sort: String, others: Int)
    /// The store does not answer: corrections and histories wait until it does.
    case failed(FlagStoreError)
    /// It answers again.
    case recovered
}

/// What the follower did so far. Counters only grow.
package struct FollowerStatistics: Sendable, Equatable {
    /// Items whose derived attributes were corrected.
    package var corrected: UInt64 = 0
    /// Entries that were written into histories.
    package var entries: UInt64 = 0
    /// What follows from changes and cannot be done.
    package var setAside: UInt64 = 0
    /// Changes that wait to be looked at.
    package var waiting = 0
    /// Flags whose item is not valid and that are served in their last valid form.
    package var held = 0
    /// The same of overrides.
    package var heldOverrides = 0
    /// The same of segments.
    package var heldSegments = 0
}
