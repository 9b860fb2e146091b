import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

extension FlagTableFollower {
    /// Creates the internal table where it is missing, and finds out where to go on.
    func prepare() throws(FlagStoreError) {
        do { try store.createTable(FlagHistoryTable.schema(beside: repository.table)) } catch {
            guard case .tableExists = error else { throw FlagStoreError(error) }
        }
        let held = try storedForms()
        try prepareShift()
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

    /// What is kept of what is not valid.
    private func storedForms() throws(FlagStoreError) -> [HeldPlace: HeldForm.Kind] {
        var held: [HeldPlace: HeldForm.Kind] = [:]
        func read(_ partition: String, _ place: (Item) -> HeldPlace?) throws(FlagStoreError) {
            try repository.forEachItem(of: Query(table: historyTable, partition: .string(partition))) { item in
                if let place = place(item) { held[place] = HeldForm(stored: item).kind }
            }
        }
        for environment in Environment.allCases {
            try read(FlagHistoryTable.heldPartition(environment)) { item in
                item[Attribute.sort]?.stringValue.map { .flag(environment, ExactText($0)) }
            }
            try read(FlagHistoryTable.heldOverridesPartition(environment)) { item in
                FlagHistoryTable.placeOfOverride(item, in: environment)
            }
            try read(FlagHistoryTable.heldSegmentsPartition(environment)) { item in
                item[Attribute.sort]?.stringValue.map { .segment(environment, ExactText($0)) }
            }
        }
        return held
    }

    /// Looks at all items once more: the table is another one of the same name. Returns at once.
    package func lookAtAllItems() {
        queue.async { [weak self] in
            guard let self else { return }
            let start = self.state.withLock { state in
                state.isSweeping = true
                state.historySizes = [:]
                return state.position
            }
            // Where it cannot be read now, entries get the places of before; the next start finds out.
            try? self.prepareShift()
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
                let corrections = page.items.compactMap { item in try? DerivedAttributes.correction(of: item) }
                for start in stride(from: 0, to: corrections.count, by: Self.batchMaximum) {
                    try carryOut(Array(corrections.dropFirst(start).prefix(Self.batchMaximum)))
                }
                let held = state.withLock { $0.held }
                try lookAtForms(
                    of: page.items.compactMap { item in
                        guard let place = ItemKey(item).flatMap({ HeldPlace($0) }) else { return nil }
                        return held[place] != nil || place.validForm(of: item) == nil ? place : nil
                    })
                guard let next = page.lastEvaluatedKey else {
                    // What is gone has not been among the items.
                    try lookAtForms(of: state.withLock { Array($0.held.keys) })
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

    /// Lets go of the last valid form of what is valid or gone, and notes what is not valid. Not while changes are
    /// looked at, which do the same: what is read here must not be older than what they know.
    private func lookAtForms(of places: [HeldPlace]) throws(FlagStoreError) {
        guard !places.isEmpty else { return }
        var failure: FlagStoreError?
        queue.sync {
            do throws(FlagStoreError) {
                var forms: [HeldPlace: HeldForm?] = [:]
                for place in places {
                    let item = try repository.item(place.itemKey)
                    let isValid = item.map { place.validForm(of: $0) != nil } ?? true
                    let (isHeld, isRoom) = state.withLock {
                        ($0.held[place] != nil, $0.held.count < FollowerState.notesMaximum)
                    }
                    if isValid == isHeld, isValid || isRoom { forms[place] = isValid ? .some(nil) : .some(place.note) }
                }
                try keep(forms)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
