import Dispatch
import DynamoModel
import FlagCore
import Platform

extension FlagTableUpkeep {
    /// Does what follows from changes, and waits until it is durable.
    func process(_ batch: ChangeBatch<[TableChange]>, storing: Bool) throws(FlagStoreError) {
        // First: what is counted of a batch that fails would be counted twice.
        try tellDueTallies(storing: storing)
        let held = state.withLock { $0.held }
        var consequences = ChangeConsequences(takesNotes: held.count < UpkeepState.notesMaximum)
        for change in batch.content {
            if case .revision(let environment)? = ItemKey(change.key) {
                for item in [change.oldItem, change.newItem] { repository.revisions.note(item, of: environment) }
            }
            consequences.add(change) { held[$0] }
        }
        consequences.tellOverrides(counting: tallies.withLock { $0.principals })
        if let first = consequences.misplaced.first {
            report(
                .misplaced(
                    partition: first.partition.stringValue ?? "", sort: first.sort?.stringValue ?? "",
                    others: consequences.misplaced.count - 1))
        }
        try carryOut(consequences.corrections, raising: consequences.unraised, remaking: consequences.broken)
        try write(consequences, upTo: batch.upTo, storing: storing)
        // There may have come more at once than a history may have.
        try perform(makeRoom(for: consequences.added.mapValues { _ in HistorySize() }, in: []))
        state.withLock { $0.position.taken = max($0.position.taken, batch.upTo) }
        tallies.withLock { tallies in
            for change in consequences.tallied { tallies.add(change) }
        }
    }

    // MARK: - Corrections

    /// Writes corrections, all together, and raises what was not raised or makes it anew. Those whose item was changed
    /// meanwhile do nothing: that change is looked at in its turn.
    func carryOut(
        _ corrections: [Correction], raising unraised: Set<Environment> = [], remaking broken: Set<Environment> = []
    ) throws(FlagStoreError) {
        let done = DispatchGroup()
        let failure = Locked<FlagStoreError?>(nil)
        @Sendable func finish(_ error: FlagStoreError?) {
            if let error { failure.withLock { $0 = error } }
            done.leave()
        }
        for correction in corrections {
            let update = WriteOperation.update(
                table: repository.table, key: correction.key.tableKey, actions: correction.actions,
                condition: correction.condition)
            done.enter()
            repository.write([update], in: Self.scope(correction.environment)) { result in
                finish(self.settle(correction, result))
            }
        }
        for environment in broken {
            done.enter()
            store.transact([repository.remaking(environment)], principal: Self.principal) { result in
                finish(self.settle(.revision(environment), result))
            }
        }
        // A correction raises the revision by itself.
        for environment in unraised.subtracting(corrections.map(\.environment)).subtracting(broken) {
            done.enter()
            repository.write([], in: Self.scope(environment)) { result in
                finish(self.settle(.revision(environment), result))
            }
        }
        done.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// What became of a revision; nil unless it must be tried again.
    private func settle(_ key: ItemKey, _ result: Result<[WriteOutcome], TableError>) -> FlagStoreError? {
        guard case .failure(let error) = result, error.failedCondition == nil else { return nil }
        guard !error.mayPass else { return FlagStoreError(error) }
        setAside(key.tableKey, error)
        return nil
    }

    /// Counts and tells what cannot be done whenever it is tried: nothing waits for it.
    private func setAside(_ key: TableKey, _ error: TableError) {
        state.withLock { $0.statistics.setAside += 1 }
        report(
            .setAside(
                partition: key.partition.stringValue ?? "", sort: key.sort?.stringValue ?? "",
                reason: error.description))
    }

    /// Counts what became of a correction; nil unless it must be tried again.
    private func settle(_ correction: Correction, _ result: Result<[WriteOutcome], TableError>) -> FlagStoreError? {
        let (partition, sort) = (correction.key.partition, correction.key.sort)
        switch result {
        case .success:
            state.withLock { $0.statistics.corrected += 1 }
            report(.corrected(partition: partition, sort: sort, attributes: correction.attributes))
            return nil
        case .failure(let error):
            if error.failedCondition != nil { return nil }
            guard !error.mayPass else { return FlagStoreError(error) }
            state.withLock { $0.statistics.setAside += 1 }
            report(.uncorrectable(partition: partition, sort: sort, reason: error.description))
            return nil
        }
    }

    // MARK: - The internal table

    /// Stores entries, last valid forms and, where it may be, the position.
    private func write(
        _ consequences: ChangeConsequences, upTo sequence: Int64, storing: Bool
    ) throws(FlagStoreError) {
        var operations = consequences.entries.map(entry)
        operations += try makeRoom(
            for: consequences.added, in: consequences.grown, first: consequences.first)
        operations += consequences.held.map { operation(on: $0, $1) }
        let isTold = consequences.tallied.isEmpty && tallies.withLock { $0.isTold }
        // What is being counted is counted again after a crash.
        let isWorthIt = !operations.isEmpty || sequence > position.stored + Self.positionGap
        try perform(operations, storing: storing && isTold && isWorthIt ? sequence : nil)
        state.withLock { state in
            state.statistics.entries += UInt64(consequences.entries.count)
            for (place, form) in consequences.held { state.held[place] = form?.kind }
        }
    }

    /// Stores last valid forms.
    func keep(_ forms: [HeldRecordKey: HeldForm?]) throws(FlagStoreError) {
        guard !forms.isEmpty else { return }
        try perform(forms.map { operation(on: $0, $1) })
        state.withLock { state in
            for (place, form) in forms { state.held[place] = form?.kind }
        }
    }

    private func operation(on place: HeldRecordKey, _ form: HeldForm?) -> WriteOperation {
        form.map { .put(table: historyTable, item: $0.item) } ?? .delete(table: historyTable, key: place.heldKey)
    }

    /// Does operations, and stores the position with the last of them.
    func store(_ sequence: Int64, with operations: [WriteOperation]) throws(FlagStoreError) {
        let position = WriteOperation.put(
            table: historyTable,
            item: [
                Attribute.partition: FlagHistoryTable.positionKey.partition, Attribute.sort: .string(ItemKey.metadata),
                FlagHistoryTable.Name.position: .number(sequence), FlagHistoryTable.Name.storeID: .string(storeID),
            ])
        try perform(operations + [position])
        state.withLock { state in
            state.position = FollowerPosition(taken: max(state.position.taken, sequence), stored: sequence)
        }
    }

    /// Does operations on different items; many beside one another. Stores a position with or behind the last of them,
    /// where there is one.
    func perform(_ operations: [WriteOperation], storing position: Int64?) throws(FlagStoreError) {
        var rest = operations
        if rest.count >= FlagLimits.operationsPerTransaction {
            try performBeside(rest)
            rest = []
        }
        if let position { try store(position, with: rest) } else { try perform(rest) }
    }

    func store(_ position: Int64) throws(FlagStoreError) { try store(position, with: []) }

    /// Does operations on different items in as many transactions as it takes, in order. What cannot be done whenever
    /// it is tried is set aside: a key that fits the flag table may be too long for this one.
    func perform(_ operations: [WriteOperation]) throws(FlagStoreError) {
        for start in stride(from: 0, to: operations.count, by: FlagLimits.operationsPerTransaction) {
            let end = min(operations.count, start + FlagLimits.operationsPerTransaction)
            let some = Array(operations[start..<end])
            do {
                try store.transactAndWait(some, principal: Self.principal)
            } catch {
                guard !error.mayPass else { throw FlagStoreError(error) }
                // Together they may be more than one transaction takes, or one of them keeps the others from happening.
                for operation in some { try performAlone(operation) }
            }
        }
    }

    /// The same, in any order, with several transactions under way: they share the disk's syncs.
    func performBeside(_ operations: [WriteOperation]) throws(FlagStoreError) {
        let size = FlagLimits.operationsPerTransaction
        for start in stride(from: 0, to: operations.count, by: size * Self.transactionsMaximum) {
            let failed = Locked<[(operations: [WriteOperation], error: TableError)]>([])
            let done = DispatchGroup()
            for first in stride(
                from: start, to: min(operations.count, start + size * Self.transactionsMaximum), by: size)
            {
                let some = Array(operations[first..<min(operations.count, first + size)])
                done.enter()
                store.transact(some, principal: Self.principal) { result in
                    if case .failure(let error) = result { failed.withLock { $0.append((some, error)) } }
                    done.leave()
                }
            }
            done.wait()
            for (some, error) in failed.withLock({ $0 }) {
                guard !error.mayPass else { throw FlagStoreError(error) }
                for operation in some { try performAlone(operation) }
            }
        }
    }

    /// Transactions under way at most.
    private static let transactionsMaximum = 16

    private func performAlone(_ operation: WriteOperation) throws(FlagStoreError) {
        do {
            try store.transactAndWait([operation], principal: Self.principal)
        } catch {
            // A last valid form that is as large as an item can be does not fit: memory has it until the end.
            guard !error.mayPass else { throw FlagStoreError(error) }
            setAside(operation.internalKey, error)
        }
    }
}

extension WriteOperation {
    /// The key of an operation on the internal table.
    fileprivate var internalKey: TableKey {
        switch self {
        case .put(_, let item, _): TableKey(item[Attribute.partition] ?? .null, item[Attribute.sort])
        case .delete(_, let key, _), .update(_, let key, _, _), .check(_, let key, _): key
        }
    }
}
