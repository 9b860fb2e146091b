import DynamoModel
import FlagCore

extension FlagRepository {
    /// Calls `body` with every flag of an environment, newest first, those that were put away last. Items that are no
    /// flags are left out. Blocks.
    func forEachFlag(
        in environment: Environment, _ body: (FlagRecord) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) {
        try forEachFlagItem(in: environment) { item throws(FlagStoreError) in
            guard let record = try? FlagRecord(item: item), record.environment == environment else { return }
            try body(record)
        }
    }

    /// Calls `body` with the item of every flag of an environment, valid or not, in the same order. Blocks.
    func forEachFlagItem(
        in environment: Environment, _ body: (Item) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) {
        for archived in [false, true] {
            let partition = FlagIndex.all.partition(in: environment, archived: archived)
            let query = Query(
                table: table, index: FlagTable.flagsIndex, partition: .string(partition), forward: false)
            try forEachItem(of: query, body)
        }
    }

    /// Calls `body` with every override of a flag, by tenant. Blocks.
    func forEachOverride(
        ofFlag key: String, in environment: Environment,
        _ body: (TenantOverrideRecord) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) {
        let query = Query(
            table: table, index: FlagTable.expiresIndex, partition: .string(ItemKey.flagPartition(environment, key)))
        try forEachItem(of: query) { item throws(FlagStoreError) in
            guard let record = try? TenantOverrideRecord(item: item) else { return }
            try body(record)
        }
    }
}
