import Access
import Bytes
import DynamoModel
import FlagCore
import FlagStore

extension ImportPlan {
    /// Does what the plan says. Blocks until all of it is durable: not for a loop or the table's writer queue.
    ///
    /// Writes go out in transactions of up to 99 operations, many at a time. Each is all or nothing; the import as a
    /// whole is not: when it fails or is stopped half way, what was written stays, and importing the same file again
    /// does the rest.
    ///
    /// Kill switches that the file sets come first and those that it clears last, so that nothing is served in between
    /// that neither state would serve.
    ///
    /// - Parameters:
    ///   - scope: who imports, and when; of the plan's environment.
    ///   - progress: counts the changes, and may stop the import between two transactions.
    /// - Throws: `conflict` when somebody changed one of the flags since the plan was made; `stopped`; `unavailable`.
    package func apply(
        to repository: FlagRepository, in scope: WriteScope, _ progress: WorkProgress = WorkProgress()
    ) throws(FlagStoreError) {
        precondition(scope.environment == environment, "a plan is for one environment")
        progress.expect(changeCount)
        let writer = BulkWriter(
            repository: repository, scope: scope, progress: progress)
        try writer.write(
            killSwitches.created.lazy.map { ($0.flagKey ?? "", repository.put($0.item)) })
        try writer.write(
            killSwitches.changed.lazy.map { ($0.new.flagKey ?? "", repository.put($0.new.item)) })
        for segment in (segments?.created ?? []) + (segments?.changed ?? []).map(\.new) {
            try writer.write(segment.writes(to: repository))
        }
        try writer.write(
            flags.created.lazy.map {
                ($0.key, repository.put($0.item, if: .attributeNotExists(DocumentPath(Attribute.partition))))
            })
        try writer.write(
            flags.changed.lazy.map {
                ($0.new.key, repository.put($0.new.item, if: $0.condition))
            })
        try writer.write(overrides.created.lazy.map { ($0.flagKey, repository.put($0.item)) })
        try writer.write(overrides.changed.lazy.map { ($0.new.flagKey, repository.put($0.new.item)) })
        try writer.write(overrides.removed.lazy.map { ($0.flagKey, repository.delete($0.itemKey)) })
        for flag in flags.removed {
            try writer.remove(flag, keepsKillSwitch: namedKillSwitches.contains(ExactText(flag.key)))
        }
        for segment in segments?.removed ?? [] {
            let record = segment.record
            try repository.removeSegment(
                record.name, in: scope, expecting: record.version, progress)
            progress.note(done: 1)
        }
        try writer.write(killSwitches.removed.lazy.map { ($0.flagKey ?? "", repository.delete($0.itemKey)) })
    }

    /// How many items are written or removed. What goes with a flag or a segment that is removed is not among them.
    private var changeCount: Int {
        let keys = ((segments?.created ?? []) + (segments?.changed ?? []).map(\.new)).reduce(0) {
            $0 + $1.addedKeys.count + $1.removedKeys.count
        }
        return keys + (segments?.count ?? 0) + flags.count + overrides.count + killSwitches.count
    }
}

extension BulkWriter {
    /// Deletes a flag with its overrides and its kill switch, and waits until it is gone. The plan knows that nobody is
    /// left who requires it: to look again for each would read all flags as often as flags are removed.
    func remove(_ flag: FlagRecord, keepsKillSwitch: Bool) throws(FlagStoreError) {
        do throws(FlagStoreError) {
            try FlagRepository.waiting { completion in
                repository.remove(
                    flag.key, in: scope, expecting: flag.version, keepsKillSwitch: keepsKillSwitch, progress,
                    completion: completion)
            }
        } catch {
            switch error {
            // Gone already is gone.
            case .notFound: break
            case .versionMismatch: throw .conflict(name: flag.key)
            default: throw error
            }
        }
        progress.note(done: 1)
    }
}
