import DynamoModel
import FlagCore
import Platform

/// The proposals in their table. Every write is conditional: of two who decide on the same one, one learns of the
/// other.
///
/// Its functions block: not for a loop.
package final class ProposalStore: Sendable {
    /// How many may wait, of all environments together.
    package static let openMaximum = 1_000
    /// For how long those that have ended are kept.
    private static let keptMilliseconds: Int64 = 90 * 86_400_000
    /// How many are removed at a time.
    private static let removedTogether = 20

    let store: any TableStore
    /// Those that this process is making.
    let underWay = Locked<Set<String>>([])
    private let waiting: FollowedItems<String, Waiting>

    /// What is in memory of one that has not ended.
    struct Waiting: Sendable {
        let environment: Environment
        let state: Proposal.State
        let expiresAt: Timestamp
    }

    /// Proposals in a store. Nothing is read or made yet.
    package init(store: any TableStore) {
        self.store = store
        waiting = FollowedItems(
            store, ChangeControlTable.name,
            Environment.allCases.map { environment in
                var query = Query(
                    table: ChangeControlTable.name, partition: .string(ChangeControlTable.proposals(environment)))
                query.attributes = [Proposal.stateName, Proposal.expiryName]
                return query
            }, key: { Self.environment(of: $0) == nil ? nil : $0.sort?.stringValue }, value: { Waiting($0) })
    }

    /// Reads which wait, and follows them. Blocks.
    package func start() throws(TableError) { try waiting.start() }

    /// How many wait, by environment. No I/O.
    package var openCounts: [Environment: Int] {
        waiting.all.values.reduce(into: [:]) { $0[$1.environment, default: 0] += 1 }
    }

    /// Those that have not ended, by name. No I/O.
    var unended: [String: Waiting] { waiting.all }

    fileprivate static func environment(of key: TableKey) -> Environment? {
        Environment.allCases.first { key.partition.stringValue == ChangeControlTable.proposals($0) }
    }

    // MARK: - One

    /// Stores one that is new, with what it is about.
    func add(_ proposal: Proposal, _ content: ProposalContent, by principal: Principal) throws(ProposalError) {
        do throws(TableError) {
            try store.createChangeControlTable()
            try start()
        } catch { throw .store(error) }
        guard unended.count < Self.openMaximum else { throw .tooMany(Self.openMaximum) }
        try write([.put(table: ChangeControlTable.name, item: proposal.item)], content, proposal.id, principal)
    }

    /// The proposal of a name, in whichever environment.
    package func find(_ id: String) throws(ProposalError) -> Proposal {
        guard ChangeID.isOne(id), try isThere() else { throw .notFound(id) }
        let keys = Environment.allCases.map { Proposal.key(id, in: $0) }
        let items = try reading { () throws(TableError) in
            try store.getItems(table: ChangeControlTable.name, keys: keys)
        }
        guard let item = items.lazy.compactMap({ $0 }).first else { throw .notFound(id) }
        guard let proposal = Proposal(item: item) else { throw .damaged(id) }
        return proposal
    }

    /// What a proposal is about.
    package func content(of proposal: Proposal) throws(ProposalError) -> ProposalContent {
        let keys = ProposalContent.keys(proposal.id, in: proposal.environment)
        let items = try reading { () throws(TableError) in
            try store.getItems(table: ChangeControlTable.name, keys: keys)
        }
        guard let content = ProposalContent(items) else { throw .damaged(proposal.id) }
        return content
    }

    /// Puts the next revision of a proposal in the place of the one that it was made of.
    ///
    /// - Parameter content: what it is about from then on, where that has changed.
    /// - Returns: false when that is not there any more.
    func replace(
        _ old: Proposal, by new: Proposal, _ content: ProposalContent? = nil, as principal: Principal
    ) throws(ProposalError) -> Bool {
        do throws(ProposalError) {
            try write([replacement(of: old, by: new)], content, old.id, principal)
            return true
        } catch {
            if case .store(let error) = error, error.failedCondition != nil { return false }
            throw error
        }
    }

    /// The same as an operation, to be done together with others.
    func replacement(of old: Proposal, by new: Proposal) -> WriteOperation {
        .put(
            table: ChangeControlTable.name, item: new.item,
            condition: .equals(DocumentPath(Proposal.revisionName), .number(old.revision)))
    }

    private func write(
        _ operations: [WriteOperation], _ content: ProposalContent?, _ id: String, _ principal: Principal
    ) throws(ProposalError) {
        var operations = operations
        if let content {
            guard let items = content.items(id) else { throw .tooLarge(maximum: ProposalContent.partBytesMaximum) }
            operations += items.map { .put(table: ChangeControlTable.name, item: $0) }
        }
        do throws(TableError) { try store.transactAndWait(operations, principal: principal) } catch {
            throw .store(error)
        }
    }

    // MARK: - Many

    /// Removes the oldest of those that ended long ago, a few at a time. What fails is done another time.
    func removeOld(at now: Timestamp) {
        let bound = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch - Self.keptMilliseconds)
        guard (try? isThere()) ?? false else { return }
        for environment in Environment.allCases {
            var query = Query(
                table: ChangeControlTable.name, partition: .string(ChangeControlTable.proposals(environment)),
                limit: Self.removedTogether)
            query.attributes = [Proposal.stateName, Proposal.expiryName]
            let page = try? store.query(query)
            // They are in the order of their making, and end soon after it.
            let old = (page?.items ?? []).compactMap { item -> String? in
                guard Waiting(item) == nil, let time = item[Proposal.expiryName]?.stringValue,
                    Timestamp(rfc3339: time).map({ $0 < bound }) ?? false
                else { return nil }
                return item[ChangeControlTable.sort]?.stringValue
            }
            let keys = old.flatMap { id in
                [Proposal.key(id, in: environment)] + ProposalContent.keys(id, in: environment)
            }
            if keys.isEmpty { continue }
            _ = try? store.transactAndWait(
                keys.map { .delete(table: ChangeControlTable.name, key: $0) },
                principal: Principal(.server, "proposals"))
        }
    }

    /// Whether anybody has ever planned a change here.
    func isThere() throws(ProposalError) -> Bool {
        try reading { () throws(TableError) in try store.listTables().contains(ChangeControlTable.name) }
    }

    func reading<Value>(_ body: () throws(TableError) -> Value) throws(ProposalError) -> Value {
        do throws(TableError) { return try body() } catch { throw .store(error) }
    }
}

extension ProposalStore.Waiting {
    /// What is kept of an item; nil for one that has ended.
    fileprivate init?(_ item: Item) {
        guard let state = item[Proposal.stateName]?.stringValue.flatMap(Proposal.State.init(rawValue:)), !state.isEnded,
            let expiresAt = item[Proposal.expiryName]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let partition = item[ChangeControlTable.partition], let sort = item[ChangeControlTable.sort],
            let environment = ProposalStore.environment(of: TableKey(partition, sort))
        else { return nil }
        self.init(environment: environment, state: state, expiresAt: expiresAt)
    }
}
