import Platform

/// Has histories come up to what was committed: they follow the changes of the flag table within moments, and whoever
/// has just made a change wants to find it.
package final class HistoryCurrency: Sendable {
    private let follow = Locked<(@Sendable () -> Void)?>(nil)

    /// Says who follows the changes.
    ///
    /// - Parameter follow: waits, not too long, until what was committed before the call is in the histories.
    package func attach(_ follow: @escaping @Sendable () -> Void) { self.follow.withLock { $0 = follow } }

    /// Waits until what was committed before the call is in the histories, or it has taken too long. Blocks.
    func catchUp() { follow.withLock { $0 }?() }
}
