/// Tells of changes.
package protocol TableChanges: Sendable {
    /// Calls `deliver` with the changes of every commit from now on, in order, without gap.
    ///
    /// It runs on the writer's own queue after the changes are durable and before the completions of the
    /// transactions that made them, and must not block.
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void)

    /// Up to `limit` changes after a position of the stream, in order; fewer where their items are large, and none only
    /// at its end. The stream goes back as long as its retention
    /// says unless it becomes too large, and in any case to what a follower needs.
    func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange]

    /// The first change that the stream still has, whatever table it is of; 0 when there was none. Blocks shortly.
    func firstSequence() throws(TableError) -> Int64

    /// The sequence of the last change, 0 when there was none. Reads memory only.
    var lastSequence: Int64 { get }

    /// Keeps the changes in the stream that a follower needs, however old they are and however much, until it needs
    /// them no longer or the process ends; in the place of one of the same name. Whoever needs changes of before says
    /// so within a minute after the store was opened: so long nothing is let go. Never blocks.
    func attach(_ follower: FollowerProgress)
}

extension TableChanges {
    /// Whether the stream has every change after `position`. Blocks shortly.
    func reachesBack(to position: Int64) throws(TableError) -> Bool {
        let last = lastSequence
        if position >= last { return position == last }
        return try firstSequence() <= position + 1
    }
}
