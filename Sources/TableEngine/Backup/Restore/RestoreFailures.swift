import DynamoModel
import Platform

/// A restore that failed after it was answered that the table is being made.
package struct RestoreFailure: Sendable, Equatable {
    /// The name of the table that there is not.
    package let table: String
    /// The table that the content was of.
    package let source: String
    /// Why it failed.
    package let error: TableError
}

/// The restores that have failed since the store was opened, and who is to be told of them.
final class RestoreFailures: Sendable {
    private struct State {
        var count = 0
        var last: [String: RestoreFailure] = [:]
    }

    private let state = Locked(State())
    private let subscribers = Locked<[@Sendable (RestoreFailure) -> Void]>([])

    /// How many names of tables are kept of which the last restore failed.
    private static let tablesMax = 1000

    /// How many there were.
    var count: Int { state.withLock { $0.count } }

    /// Why the last restore into a table failed; nil when none did, or another one was begun since.
    func failure(of table: String) -> RestoreFailure? { state.withLock { $0.last[table] } }

    /// Calls `deliver` with each failure; from a queue of the backups, which must not be kept waiting.
    func subscribe(_ deliver: @escaping @Sendable (RestoreFailure) -> Void) {
        subscribers.withLock { $0.append(deliver) }
    }

    func note(_ failure: RestoreFailure) {
        // A server that ends gives up its restores: that is no failure to tell of.
        if failure.error == .closed { return }
        state.withLock { state in
            state.count += 1
            if state.last.count < Self.tablesMax { state.last[failure.table] = failure }
        }
        for deliver in subscribers.withLock({ $0 }) { deliver(failure) }
    }

    func forget(_ table: String) { state.withLock { _ = $0.last.removeValue(forKey: table) } }
}
