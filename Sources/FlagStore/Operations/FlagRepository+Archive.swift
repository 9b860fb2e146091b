import Access
import DynamoModel
import FlagCore

extension FlagRepository {
    /// The change of a flag that puts it away, or takes it out again. Blocks for nothing.
    ///
    /// It fails with `flagArchived` or `flagNotArchived` where it is so already, and with `invalid` where the item is
    /// not valid: its owner has to put that right first.
    func archiving(
        _ key: String, _ isArchived: Bool, in scope: WriteScope, expecting expected: Int64?
    ) -> RecordChange<FlagDraft> {
        RecordChange(
            key: .flag(scope.environment, key: key), thing: .flag(key), scope: scope, expected: expected,
            read: { FlagRecord.reading($0, environment: scope.environment, key: key, at: scope.instant) },
            draft: { reading throws(FlagStoreError) in
                guard reading.issues.isEmpty else { throw .invalid(reading.issues) }
                guard reading.record.isArchived != isArchived else {
                    throw isArchived ? .flagArchived(flagKey: key) : .flagNotArchived(flagKey: key)
                }
                var draft = FlagDraft(reading.record)
                draft.isArchived = isArchived
                return draft
            })
    }

    /// Refuses to put away what others require who are served, and to take out what requires what is not there. Blocks.
    func checkArchiving(of record: FlagRecord) throws(FlagStoreError) {
        guard record.isArchived else { return try checkReferences(of: record) }
        var served: [String] = []
        for dependent in try dependents(of: record.key, in: record.environment).map(\.flagKey) {
            let item = try item(.flag(record.environment, key: dependent))
            if let item, !FlagRecord.isArchived(item) { served.append(dependent) }
        }
        guard served.isEmpty else { throw .required(flagKey: record.key, by: served) }
    }
}
