import DynamoModel
import Platform

/// Histories that another store began: they came with a backup, and their entries have places in the order of that
/// store's changes, which may be far ahead of this one's. What is told here gets places behind them.
extension FlagTableUpkeep {
    /// How many places further back than another store's last entry the first one of this store gets: the position that
    /// is stored may be some changes behind the entries.
    private static let shiftMargin: Int64 = 1_000_000

    /// By how much the places of this store's changes are shifted, stored before the first entry is. Blocks.
    func prepareShift() throws(FlagStoreError) {
        let (origin, position) = (
            try stored(FlagHistoryTable.shiftKey), try stored(FlagHistoryTable.positionKey)
        )
        var shift = origin?[FlagHistoryTable.Name.shift]?.int64Value ?? 0
        let isTold = origin?[FlagHistoryTable.Name.storeID]?.stringValue == storeID
        if let position, !isTold, position[FlagHistoryTable.Name.storeID]?.stringValue != storeID,
            let last = position[FlagHistoryTable.Name.position]?.int64Value, last > store.lastSequence
        {
            shift += last - store.lastSequence + Self.shiftMargin
            try perform([
                .put(
                    table: historyTable,
                    item: [
                        Attribute.partition: FlagHistoryTable.shiftKey.partition,
                        Attribute.sort: .string(ItemKey.metadata), FlagHistoryTable.Name.shift: .number(shift),
                        FlagHistoryTable.Name.storeID: .string(storeID),
                    ])
            ])
        }
        state.withLock { $0.shift = shift }
    }

    /// Puts an entry where it belongs in its history.
    func entry(_ item: Item) -> WriteOperation {
        let shift = state.withLock { $0.shift }
        var item = item
        if shift > 0, let sequence = item[Attribute.sort]?.stringValue.flatMap({ Int64($0) }) {
            item[Attribute.sort] = .string(FlagHistoryTable.sort(sequence + shift))
        }
        return .put(table: historyTable, item: item)
    }

    private func stored(_ key: TableKey) throws(FlagStoreError) -> Item? {
        try reading { () throws(TableError) in try store.getItem(table: historyTable, key: key) }
    }
}
