import Access
import Bytes
import DynamoModel
import FlagCore

extension FlagRepository {
    /// Says what an operation would leave, and changes nothing: a dry run. Blocks, since it reads; somebody else may
    /// change what it saw before the operation is applied.
    ///
    /// - Parameters:
    ///   - scope: who would do it, where and when.
    ///   - listed: which keys a segment lists.
    /// - Throws: why it could not be done.
    package func check(
        _ operation: FlagOperation, in scope: WriteScope, listed: ListedKeys
    ) throws(FlagStoreError) -> Written {
        let environment = scope.environment
        switch operation.change {
        case .createFlag(let draft):
            let record = try record(of: draft, createdAt: draft.createdAt, in: scope, check: checkReferences)
            try requireNone(.flag(environment, key: draft.key), else: .alreadyExists(flagKey: draft.key))
            return .flag(record)
        case .replaceFlag(let draft):
            let change = flagChange(draft.key, in: scope, expecting: operation.expectedVersion) { _ in draft }
            return .flag(try outcome(of: change, check: checkReferences).new)
        case .patchFlag(let key, let patch):
            let change = flagChange(key, in: scope, expecting: operation.expectedVersion, draft: patch.draft)
            return .flag(try outcome(of: change, check: checkReferences).new)
        case .deleteFlag(let key):
            try requireNoDependents(of: key, in: environment)
            try requireVersion(operation.expectedVersion, of: .flag(environment, key: key), .flag(key))
        case .setOverride(let draft):
            let record = try record(of: draft, in: scope)
            _ = try condition(ofOverride: record.itemKey, expecting: operation.expectedVersion)
            return .override(record)
        case .removeOverride(let tenant, let flagKey):
            let key = ItemKey.override(environment, tenant: tenant, flagKey: flagKey)
            try require(key, .override(flagKey: flagKey, tenant: tenant))
            _ = try condition(ofOverride: key, expecting: operation.expectedVersion)
        case .setKillSwitch(let draft):
            if let key = draft.flagKey, !draft.isForced, try item(.flag(environment, key: key)) == nil {
                throw .noFlagToKill(flagKey: key)
            }
            return .killSwitch(draft.record(in: environment, at: scope.instant))
        case .endKillSwitch(let end):
            let isOn = try killSwitches(in: environment).contains { $0.flagKey == end.flagKey }
            guard isOn else { throw .notFound(.killSwitch(flagKey: end.flagKey)) }
        case .createSegment(let draft):
            let record = try record(of: draft, createdAt: draft.createdAt, in: scope, check: checkReferences)
            try requireNone(.segment(environment, name: draft.name), else: .segmentExists(name: draft.name))
            return .segment(record)
        case .replaceSegment(let draft):
            let change = segmentChange(draft.name, in: scope, expecting: operation.expectedVersion) { _ in draft }
            return .segment(try outcome(of: change, check: checkReferences).new)
        case .patchSegment(let name, let patch):
            let change = segmentChange(name, in: scope, expecting: operation.expectedVersion, draft: patch.draft)
            return .segment(try outcome(of: change, check: checkReferences).new)
        case .deleteSegment(let name):
            try requireNoUses(ofSegment: name, in: environment)
            try requireVersion(operation.expectedVersion, of: .segment(environment, name: name), .segment(name))
        case .editSegmentKeys(let name, let edit):
            let keys = try listed(name, environment)
            try checkLimit(edit, keys)
            let segment = try raised(name, in: scope, operation.expectedVersion).new
            return .segment(segment, keyCount: edit.count(after: keys))
        case .replaceSegmentKeys(let name, let keys):
            let segment = try raised(name, in: scope, operation.expectedVersion).new
            return .segment(segment, keyCount: Set(keys.map { ExactText($0) }).count)
        case .rollbackFlag, .rollbackSegment, .rollbackOverride, .setArchived, .restoreFlag, .promoteFlag:
            return try checkSecondThought(operation, in: scope)
        }
        return .gone
    }

    /// Refuses what is there already.
    private func requireNone(_ key: ItemKey, else error: FlagStoreError) throws(FlagStoreError) {
        guard try item(key) == nil else { throw error }
    }

    /// Refuses what is not there.
    @discardableResult
    private func require(_ key: ItemKey, _ thing: StoredThing) throws(FlagStoreError) -> Item {
        guard let item = try item(key) else { throw .notFound(thing) }
        return item
    }

    /// Refuses what is not there, or is at another version.
    private func requireVersion(
        _ expected: Int64?, of key: ItemKey, _ thing: StoredThing
    ) throws(FlagStoreError) {
        let version = RecordVersion.of(try require(key, thing))
        guard let expected, expected != version else { return }
        throw .versionMismatch(of: thing, expected: expected, current: version)
    }
}
