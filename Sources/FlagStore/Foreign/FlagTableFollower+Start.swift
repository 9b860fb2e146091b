import Dispatch
import DynamoTable
import FlagCore
import Lock

extension FlagTableFollower {
    /// Creates the internal table where it is missing, and finds out where to go on.
    func prepare() throws(FlagStoreError) {
        do { try store.createTable(FlagHistoryTable.schema(beside: repository.table)) } catch {
            guard case .tableExists = error else { throw FlagStoreError(error) }
        }
        var held: Set<ChangeConsequences.Place> = []
        for environment in Environment.allCases {
            let query = Query(
                table: historyTable, partition: .string(FlagHistoryTable.heldPartition(environment)))
            try repository.forEachItem(of: query) { (item) throws(FlagStoreError) in
                guard let flag = HeldFlag(item: item, environment: environment) else { return }
                held.insert(.flag(environment, ExactText(flag.key)))
            }
            let overrides = Query(
                table: historyTable, partition: .string(FlagHistoryTable.heldOverridesPartition(environment)))
            try repository.forEachItem(of: overrides) { (item) throws(FlagStoreError) in
                guard let override = FlagHistoryTable.heldOverride(item, in: environment) else { return }
                held.insert(
                    .override(environment, tenant: ExactText(override.tenant), ExactText(override.flagKey)))
            }
            let segments = Query(
                table: historyTable, partition: .string(FlagHistoryTable.heldSegmentsPartition(environment)))
            try repository.forEachItem(of: segments) { (item) throws(FlagStoreError) in
                guard let name = item[Attribute.sort]?.stringValue else { return }
                held.insert(.segment(environment, ExactText(name)))
            }
        }
        let position = try storedPosition()
        let isUnbroken =
            try position.map { (position) throws(FlagStoreError) in try reachesBack(to: position) } ?? false
        let start = isUnbroken ? position ?? 0 : store.lastSequence
        state.withLock { state in
            state.held = held
            state.position = start
            state.isSweeping = !isUnbroken
            state.isPrepared = true
            state.fallBehind()
        }
        keepChanges(after: start)
        if !isUnbroken { sweeps.async { [weak self] in self?.sweep(upTo: start) } }
    }

    /// Looks at all items once more: the table is another one of the same name. Returns at once.
    package func lookAtAllItems() {
        queue.async { [weak self] in
            guard let self else { return }
            let start = self.state.withLock { state in
                state.isSweeping = true
                return state.position
            }
            self.sweeps.async { [weak self] in self?.sweep(upTo: start) }
        }
    }

    /// The position that this store's follower stored last; nil when there is none.
    private func storedPosition() throws(FlagStoreError) -> Int64? {
        let item = try reading { () throws(TableError) in
            try store.getItem(table: historyTable, key: FlagHistoryTable.positionKey)
        }
        guard item?[FlagHistoryTable.Name.storeID]?.stringValue == storeID else { return nil }
        return item?[FlagHistoryTable.Name.position]?.int64Value
    }

    /// Whether the change stream has every change after `position`.
    ///
    /// Changes of a table that was deleted are left out of it: that looks like a gap, and is only work for nothing.
    private func reachesBack(to position: Int64) throws(FlagStoreError) -> Bool {
        guard position < store.lastSequence else { return position == store.lastSequence }
        let next = try reading { () throws(TableError) in try store.changes(after: position, limit: 1) }
        return next.first?.sequence == position + 1
    }

    /// Corrects every item of the table, and stores the position from which changes have been looked at since.
    /// On the queue for sweeps; O(items).
    private func sweep(upTo sequence: Int64) {
        do throws(FlagStoreError) {
            var scan = Scan(table: repository.table)
            while !state.withLock({ $0.isStopped }) {
                let page = try reading { () throws(TableError) in try store.scan(scan) }
                // What is no flag was refused when it was written, as far as anybody knows.
                let corrections = page.items.compactMap { item in try? DerivedAttributes.correction(of: item) }
                for start in stride(from: 0, to: corrections.count, by: Self.batchMaximum) {
                    try carryOut(Array(corrections.dropFirst(start).prefix(Self.batchMaximum)))
                }
                guard let next = page.lastEvaluatedKey else {
                    try perform([position(sequence)])
                    keepChanges(after: sequence)
                    state.withLock { $0.isSweeping = false }
                    return
                }
                scan.exclusiveStart = next
            }
        } catch {
            guard !state.withLock({ $0.isStopped }) else { return }
            if state.withLock({ $0.turn(failing: true) }) { report(.failed(error)) }
            sweeps.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.sweep(upTo: sequence) }
        }
    }
}
