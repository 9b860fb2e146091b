import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

extension FlagTableUpkeep {
    /// Creates the internal table where it is missing, and finds out where to go on.
    func storedPosition() throws(FlagStoreError) -> Int64? {
        do { try store.createTable(FlagHistoryTable.schema(beside: repository.table)) } catch {
            guard case .tableExists = error else { throw FlagStoreError(error) }
        }
        let held = try storedForms()
        try prepareShift()
        let item = try reading { () throws(TableError) in
            try store.getItem(table: historyTable, key: FlagHistoryTable.positionKey)
        }
        state.withLock { $0.held = held }
        // The position of another store means nothing in this one.
        guard item?[FlagHistoryTable.Name.storeID]?.stringValue == storeID,
            let position = item?[FlagHistoryTable.Name.position]?.int64Value
        else { return nil }
        state.withLock { $0.position = FollowerPosition(taken: position, stored: position) }
        return position
    }

    /// What is kept of what is not valid.
    private func storedForms() throws(FlagStoreError) -> [HeldRecordKey: HeldForm.Kind] {
        var held: [HeldRecordKey: HeldForm.Kind] = [:]
        func read(_ partition: String, _ place: (Item) -> HeldRecordKey?) throws(FlagStoreError) {
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

    /// The table is another one of the same name. On the queue.
    func prepareForReplacement() {
        state.withLock { $0.historySizes = [:] }
        // Where it cannot be read now, entries get the places of before; the next start finds out.
        try? prepareShift()
    }

    /// Corrects every item of the table. On the queue for sweeps; O(items).
    func sweep(isCancelled: () -> Bool) throws(FlagStoreError) {
        var scan = Scan(table: repository.table, limit: FlagTable.pageItems)
        while !isCancelled() {
            let page = try reading { () throws(TableError) in try store.scan(scan) }
            let corrections = page.items.compactMap { item in try? DerivedAttributes.correction(of: item) }
            for start in stride(from: 0, to: corrections.count, by: Self.batchMaximum) {
                try carryOut(Array(corrections.dropFirst(start).prefix(Self.batchMaximum)))
            }
            let held = state.withLock { $0.held }
            try lookAtForms(
                of: page.items.compactMap { item in
                    guard let place = ItemKey(item).flatMap({ HeldRecordKey($0) }) else { return nil }
                    return held[place] != nil || place.validForm(of: item) == nil ? place : nil
                })
            guard let next = page.lastEvaluatedKey else {
                // What is gone has not been among the items.
                return try lookAtForms(of: state.withLock { Array($0.held.keys) })
            }
            scan.exclusiveStart = next
        }
    }

    /// Lets go of the last valid form of what is valid or gone, and notes what is not valid. Not while changes are
    /// looked at, which do the same: what is read here must not be older than what they know.
    private func lookAtForms(of places: [HeldRecordKey]) throws(FlagStoreError) {
        guard !places.isEmpty else { return }
        var failure: FlagStoreError?
        queue.sync {
            do throws(FlagStoreError) {
                var forms: [HeldRecordKey: HeldForm?] = [:]
                for place in places {
                    let item = try repository.item(place.itemKey)
                    let isValid = item.map { place.validForm(of: $0) != nil } ?? true
                    let (isHeld, isRoom) = state.withLock {
                        ($0.held[place] != nil, $0.held.count < UpkeepState.notesMaximum)
                    }
                    if isValid == isHeld, isValid || isRoom { forms[place] = isValid ? .some(nil) : .some(place.note) }
                }
                try keep(forms)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
