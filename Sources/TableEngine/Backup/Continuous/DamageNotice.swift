import DynamoModel
import Platform

/// What is damaged of the logs of continuous backups, and who is to be told when more is found.
final class DamageNotice: Sendable {
    private struct State {
        var ofLogs: [LogDamage] = []
        var ended: [LogDamage] = []
        var told: [LogDamage] = []
    }

    private let state = Locked(State())
    private let subscribers = Locked<[@Sendable (LogDamage) -> Void]>([])

    /// All of it.
    var current: [LogDamage] { state.withLock { $0.ofLogs + $0.ended } }

    /// Calls `deliver` with each damage that is found, and with what was found before.
    func subscribe(_ deliver: @escaping @Sendable (LogDamage) -> Void) {
        subscribers.withLock { $0.append(deliver) }
        for damage in state.withLock({ $0.told }) { deliver(damage) }
    }

    /// Notes what is damaged of the logs now.
    func note(_ damages: [LogDamage]) {
        state.withLock { $0.ofLogs = damages }
        tell(damages)
    }

    /// Notes a life that nobody goes on with.
    func note(ended damage: LogDamage) {
        state.withLock { $0.ended.append(damage) }
        tell([damage])
    }

    /// Tells of what was not told of yet. The times that are lost become known only with the next base.
    private func tell(_ damages: [LogDamage]) {
        let new = state.withLock { state in
            let new = damages.filter { damage in
                !state.told.contains { $0.table == damage.table && $0.file == damage.file && $0.byte == damage.byte }
            }
            state.told += new
            return new
        }
        for damage in new { for deliver in subscribers.withLock({ $0 }) { deliver(damage) } }
    }
}
