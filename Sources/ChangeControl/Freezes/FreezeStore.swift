import DynamoModel
import FlagCore
import Platform

/// Why something was not done to a freeze.
package enum FreezeError: Error, Equatable {
    /// There is no freeze of this identifier.
    case notFound(String)
    /// The configuration has it, and it ends there.
    case configured(String)
    /// There are as many as there may be.
    case tooMany(Int)
    /// The store could not read or write.
    case store(TableError)
}

/// The freezes of all environments, those of the configuration beside those that were made: all of them in memory.
package final class FreezeStore: Sendable {
    /// How many may be planned or hold at a time.
    private static let maximum = 1_000
    /// For how long one that has ended is listed.
    private static let listedMilliseconds: Int64 = 90 * 86_400_000
    /// How many are deleted in one transaction.
    private static let deletedTogether = 50

    private let store: any TableStore
    private let configuration: Locked<[Freeze]>
    private var configured: [Freeze] { configuration.withLock { $0 } }
    private let made: FollowedItems<String, Freeze>

    /// Freezes in a store, beside those of the configuration. Nothing is read yet.
    package init(store: any TableStore, configured: [Freeze]) {
        self.store = store
        configuration = Locked(configured)
        made = FollowedItems(
            store, ChangeControlTable.name,
            [Query(table: ChangeControlTable.name, partition: .string(ChangeControlTable.freezes))],
            key: { key in
                key.partition.stringValue == ChangeControlTable.freezes ? key.sort?.stringValue : nil
            }, value: { Freeze(item: $0) })
    }

    /// Reads the freezes and follows them. Blocks.
    package func start() throws(TableError) { try made.start() }

    /// Has the configuration say others.
    func replace(configured: [Freeze]) { configuration.withLock { $0 = configured } }

    /// All of them, the earliest first.
    package var all: [Freeze] {
        (configured + made.all.values).sorted { ($0.from, $0.id) < ($1.from, $1.id) }
    }

    /// The one that keeps an environment from being changed at an instant, of several the one that ends last; nil when
    /// none does. O(freezes), no I/O.
    package func active(in environment: Environment, at now: Timestamp) -> Freeze? {
        let isActive = { (freeze: Freeze) in freeze.environment == environment && freeze.state(at: now) == .active }
        return (configured.filter(isActive) + made.all.values.filter(isActive)).max { $0.endsAt < $1.endsAt }
    }

    /// One of them.
    package func find(_ id: String) throws(FreezeError) -> Freeze {
        guard let freeze = made[id] ?? configured.first(where: { $0.id == id }) else { throw .notFound(id) }
        return freeze
    }

    /// Makes one. Blocks until it is durable, and holds for every door of this server.
    package func create(
        _ draft: FreezeDraft, by principal: Principal, at now: Timestamp
    ) throws(FreezeError) -> Freeze {
        let count = made.all.values.count { $0.state(at: now) != .ended }
        guard count < Self.maximum else { throw .tooMany(count) }
        let freeze = Freeze(
            id: ChangeID.make(at: now), environment: draft.environment, from: draft.from, to: draft.to,
            reason: draft.reason, maker: Freeze.Act(by: "\(principal)", at: now))
        try write(.put(table: ChangeControlTable.name, item: freeze.item), by: principal)
        return freeze
    }

    /// Ends one early; one that has ended stays as it is. Blocks until that is durable.
    package func end(_ id: String, by principal: Principal, at now: Timestamp) throws(FreezeError) -> Freeze {
        var freeze = try find(id)
        guard freeze.maker != nil else { throw .configured(id) }
        guard freeze.state(at: now) != .ended else { return freeze }
        freeze.end = Freeze.Act(by: "\(principal)", at: now)
        let condition = Condition.and([
            .attributeExists(DocumentPath(ChangeControlTable.partition)),
            .attributeNotExists(DocumentPath(Freeze.endedName)),
        ])
        do throws(FreezeError) {
            try write(.put(table: ChangeControlTable.name, item: freeze.item, condition: condition), by: principal)
            return freeze
        } catch {
            // Somebody else was faster.
            if case .store(let error) = error, error.failedCondition != nil { return try find(id) }
            throw error
        }
    }

    /// Lets go of those that have ended long ago. Blocks.
    package func forgetEnded(at now: Timestamp) throws(FreezeError) {
        let old = made.all.values.filter { freeze in
            now.millisecondsSinceEpoch - freeze.endsAt.millisecondsSinceEpoch > Self.listedMilliseconds
        }
        let deletions = old.map { WriteOperation.delete(table: ChangeControlTable.name, key: Freeze.key($0.id)) }
        for start in stride(from: 0, to: deletions.count, by: Self.deletedTogether) {
            do throws(TableError) {
                try store.transactAndWait(
                    Array(deletions[start..<min(start + Self.deletedTogether, deletions.count)]), principal: .server)
            } catch { throw .store(error) }
        }
    }

    private func write(_ operation: WriteOperation, by principal: Principal) throws(FreezeError) {
        do throws(TableError) {
            try store.createChangeControlTable()
            try made.start()
            try store.transactAndWait([operation], principal: principal)
        } catch { throw .store(error) }
    }
}
