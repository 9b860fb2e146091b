import Access
import DynamoModel
import FlagCache
import FlagCore

extension FlagRepository {
    /// Tells which keys a segment lists, as far as is known.
    package typealias ListedKeys = @Sendable (_ segment: String, Environment) throws(FlagStoreError) -> SegmentKeySet

    /// Does what an operation says. Begins on a worker queue, since it reads; may block until it is durable.
    ///
    /// - Parameters:
    ///   - scope: who does it, where and when.
    ///   - listed: which keys a segment lists.
    ///   - completion: receives what there is then, once it is durable; on the writer's queue, which must not be kept
    ///     waiting, or before this returns.
    package func apply(
        _ operation: FlagOperation, in scope: WriteScope, listed: ListedKeys,
        completion: @escaping Completion<Written>
    ) {
        let expected = operation.expectedVersion
        switch operation.change {
        case .createFlag(let draft): create(draft, in: scope) { completion($0.map(Written.flag)) }
        case .replaceFlag(let draft):
            replace(with: draft, in: scope, expecting: expected) { completion($0.map(Written.flag)) }
        case .patchFlag(let key, let patch):
            self.patch(key, with: patch, in: scope, expecting: expected) { completion($0.map(Written.flag)) }
        case .deleteFlag(let key):
            delete(key, in: scope, expecting: expected) { completion($0.map { .gone }) }
        case .setOverride(let draft):
            putOverride(draft, in: scope, expecting: expected) { completion($0.map(Written.override)) }
        case .removeOverride(let tenant, let flagKey):
            deleteOverride(ofTenant: tenant, flagKey: flagKey, in: scope, expecting: expected) {
                completion($0.map { .gone })
            }
        case .setKillSwitch(let draft): setKillSwitch(draft, in: scope) { completion($0.map(Written.killSwitch)) }
        case .endKillSwitch(let end): endKillSwitch(end, in: scope) { completion($0.map { .gone }) }
        case .createSegment(let draft): createSegment(draft, in: scope) { completion($0.map { .segment($0) }) }
        case .replaceSegment(let draft):
            replaceSegment(with: draft, in: scope, expecting: expected) { completion($0.map { .segment($0) }) }
        case .patchSegment(let name, let patch):
            patchSegment(name, with: patch, in: scope, expecting: expected) { completion($0.map { .segment($0) }) }
        case .deleteSegment, .editSegmentKeys, .replaceSegmentKeys:
            completion(result { () throws(FlagStoreError) in try applyAtOnce(operation, in: scope, listed) })
        case .rollbackFlag, .rollbackSegment, .rollbackOverride, .setArchived, .restoreFlag, .promoteFlag:
            applySecondThought(operation, in: scope, completion: completion)
        }
    }

    /// Does what an operation says, and waits until it is durable. Blocks: not on the writer's queue.
    ///
    /// - Parameters:
    ///   - scope: who does it, where and when.
    ///   - listed: which keys a segment lists.
    /// - Returns: what there is then.
    @discardableResult
    package func applyAndWait(
        _ operation: FlagOperation, in scope: WriteScope, listed: ListedKeys
    ) throws(FlagStoreError) -> Written {
        try Self.waiting { apply(operation, in: scope, listed: listed, completion: $0) }
    }

    /// Those that take many transactions: waited for.
    private func applyAtOnce(
        _ operation: FlagOperation, in scope: WriteScope, _ listed: ListedKeys
    ) throws(FlagStoreError) -> Written {
        let expected = operation.expectedVersion
        switch operation.change {
        case .deleteSegment(let name):
            try deleteSegment(name, in: scope, expecting: expected)
            return .gone
        case .editSegmentKeys(let name, let edit):
            let keys = try listed(name, scope.environment)
            return .segment(try editKeys(ofSegment: name, edit, listed: keys, in: scope, expecting: expected))
        case .replaceSegmentKeys(let name, let keys):
            return .segment(try replaceKeys(ofSegment: name, by: keys, in: scope, expecting: expected))
        default: preconditionFailure("the others are done in one transaction")
        }
    }

    private func result(_ body: () throws(FlagStoreError) -> Written) -> Result<Written, FlagStoreError> {
        do throws(FlagStoreError) { return .success(try body()) } catch { return .failure(error) }
    }
}
