import Access
import Bytes
import DynamoModel
import FlagCache
import FlagCore

// MARK: - Reads

extension FlagRepository {
    /// The kill switches that are on, the global one first. Blocks.
    func killSwitches(in environment: Environment) throws(FlagStoreError) -> [KillSwitchRecord] {
        var records: [KillSwitchRecord] = []
        let query = Query(table: table, partition: .string(ItemKey.emergencyPartition(environment)))
        try forEachItem(of: query) { item in
            if let record = KillSwitchRecord(item: item) { records.append(record) }
        }
        return records.filter { $0.flagKey == nil } + records.filter { $0.flagKey != nil }
    }

    /// Finds for many flags, by their keys, the kill switch that takes each away, the global one before its own.
    /// Blocks; what it returns does not.
    func killSwitches(
        ofFlagsIn environment: Environment
    ) throws(FlagStoreError) -> (_ flagKey: String) -> KillSwitchRecord? {
        let killSwitches = try killSwitches(in: environment)
        if let global = killSwitches.first, global.flagKey == nil { return { _ in global } }
        let byKey = Dictionary(killSwitches.map { (ExactText($0.flagKey ?? ""), $0) }) { first, _ in first }
        return { byKey[ExactText($0)] }
    }

    /// The kill switch that takes a flag away, the global one before its own; nil when none does. Blocks.
    func killSwitch(
        of flagKey: String, in environment: Environment
    ) throws(FlagStoreError) -> KillSwitchRecord? {
        let keys = [ItemKey.killSwitch(environment, flagKey: nil), .killSwitch(environment, flagKey: flagKey)]
        let items = try reading { () throws(TableError) in
            try store.getItems(table: table, keys: keys.map(\.tableKey))
        }
        return items.lazy.compactMap { $0.flatMap { KillSwitchRecord(item: $0) } }.first
    }

    /// The kill switch of one flag alone; nil when that is not on. Blocks.
    func ownKillSwitch(of flagKey: String, in environment: Environment) throws(FlagStoreError) -> KillSwitchRecord? {
        try item(.killSwitch(environment, flagKey: flagKey)).flatMap { KillSwitchRecord(item: $0) }
    }

    /// How many flags kill switches take away: all, or those that exist of the flags with one. Blocks; O(such flags).
    ///
    /// - Parameter killSwitches: those that are on in the environment.
    func killedFlagCount(
        by killSwitches: DecodedKillSwitches, in environment: Environment
    ) throws(FlagStoreError) -> Int {
        var count = 0
        if killSwitches.isGlobal {
            let query = Query(
                table: table, index: FlagTable.flagsIndex, partition: .string(FlagIndex.all.partition(in: environment)))
            try forEachItem(of: query) { item in
                if case .flag(environment, _)? = ItemKey(item) { count += 1 }
            }
        } else {
            for key in killSwitches.flagKeys {
                let item = try item(.flag(environment, key: String(decoding: key, as: UTF8.self)))
                if let item, !FlagRecord.isArchived(item) { count += 1 }
            }
        }
        return count
    }
}

// MARK: - Writes

extension FlagRepository {
    /// Sets a kill switch, in force on every loop before `completion` is called. One that is on already is set again,
    /// with the new reason. Nothing else may keep it from being set than that there is no such flag, and it overtakes
    /// what waits.
    ///
    /// - Parameter completion: receives the kill switch, or `noFlagToKill` unless it is forced, or `unavailable`.
    func setKillSwitch(
        _ draft: KillSwitchDraft, in scope: WriteScope,
        completion: @escaping Completion<KillSwitchRecord>
    ) {
        let record = draft.record(in: scope.environment, at: scope.instant)
        var operations = [put(record.item)]
        if let flagKey = draft.flagKey, !draft.isForced {
            let flag = ItemKey.flag(scope.environment, key: flagKey)
            operations.append(.check(table: table, key: flag.tableKey, condition: .exists))
        }
        write(operations, in: scope, urgency: .urgent) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    error.failedCondition == nil
                        ? FlagStoreError(error) : .noFlagToKill(flagKey: draft.flagKey ?? "")
                })
        }
    }

    /// Ends a kill switch. Its item stays and says who ended it.
    ///
    /// - Parameter completion: is told that it has ended, or `notFound` when it is not on, or `unavailable`.
    func endKillSwitch(
        _ end: KillSwitchEnd, in scope: WriteScope,
        completion: @escaping Completion<Void>
    ) {
        let reason = DocumentPath(Attribute.deactivationReason)
        let operation = WriteOperation.update(
            table: table, key: ItemKey.killSwitch(scope.environment, flagKey: end.flagKey).tableKey,
            actions: [
                .set(DocumentPath(Attribute.enabled), .value(false)),
                .set(DocumentPath(Attribute.deactivatedAt), .value(.string(scope.instant.rfc3339))),
                .set(DocumentPath(Attribute.deactivatedBy), .value(.string(end.deactivatedBy))),
                end.reason.map { .set(reason, .value(.string($0))) } ?? .remove(reason),
            ],
            condition: KillSwitchRecord.isOn)
        write([operation], in: scope, urgency: .urgent) { result in
            completion(
                result.map { _ in }.mapError { error in
                    error.failedCondition == nil
                        ? FlagStoreError(error) : .notFound(.killSwitch(flagKey: end.flagKey))
                })
        }
    }
}
