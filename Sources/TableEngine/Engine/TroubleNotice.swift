import DynamoModel
import Platform

/// Whether something works at the moment, and who is to be told when that turns.
final class TroubleNotice: Sendable {
    private let last = Locked<TableError?>(nil)
    private let subscribers = Locked<[@Sendable (TableError?) -> Void]>([])

    /// Why it does not work; nil while it does.
    var current: TableError? { last.withLock { $0 } }

    /// Calls `deliver` when it stops working, with the reason; when it does not work for a reason of another kind, with
    /// that; and with nil when it works again.
    func subscribe(_ deliver: @escaping @Sendable (TableError?) -> Void) { subscribers.withLock { $0.append(deliver) } }

    /// Notes how it went this time.
    func note(_ trouble: TableError?) {
        let hasTurned = last.withLock { last in
            defer { last = trouble }
            return (last == nil) != (trouble == nil) || last?.failureKind != trouble?.failureKind
        }
        guard hasTurned else { return }
        for deliver in subscribers.withLock({ $0 }) { deliver(trouble) }
    }
}

extension TableError {
    /// What kind of failure of the disk or the file it is; nil for other errors.
    fileprivate var failureKind: StorageFailure.Kind? {
        if case .storage(let failure) = self { failure.kind } else { nil }
    }
}
