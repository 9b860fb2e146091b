import Platform

/// Has histories come up to what was committed: they follow the changes of the flag table within moments, and whoever
/// has just made a change wants to find it.
package final class HistoryCurrency: Sendable {
    private let follow = Locked<(@Sendable () -> Bool)?>(nil)

    /// Says who follows the changes.
    ///
    /// - Parameter follow: waits, not too long, until what was committed before the call is in the histories, and says
    ///   whether it is.
    package func attach(_ follow: @escaping @Sendable () -> Bool) { self.follow.withLock { $0 = follow } }

    /// Waits until what was committed before the call is in the histories, or it has taken too long. Blocks.
    ///
    /// - Returns: whether it is there, as far as anybody follows.
    @discardableResult
    func catchUp() -> Bool { follow.withLock { $0 }?() ?? true }

    /// The same for whoever must not take what was said before for what is said now.
    ///
    /// - Throws: `unavailable` when it has taken too long.
    func requireCurrent() throws(FlagStoreError) {
        guard !catchUp() else { return }
        throw .unavailable(reason: "The history has not come up to the latest changes yet", hint: "Try again")
    }
}
