import Access
import DynamoModel
import FlagCore

/// What undoes something, puts it off, or carries it on.
extension FlagRepository {
    /// Does what such an operation says; the rest is as `apply`.
    func applySecondThought(
        _ operation: FlagOperation, in scope: WriteScope, completion: @escaping Completion<Written>
    ) {
        let expected = operation.expectedVersion
        do throws(FlagStoreError) {
            switch operation.change {
            case .rollbackFlag(let key, let version):
                let change = try rollback(ofFlag: key, to: version, in: scope, expecting: expected)
                self.change(change, completion: { completion($0.map(Written.flag)) }, check: checkReferences)
            case .rollbackSegment(let name, let version):
                let change = try rollback(ofSegment: name, to: version, in: scope, expecting: expected)
                self.change(change, completion: { completion($0.map { .segment($0) }) }, check: checkReferences)
            case .rollbackOverride(let tenant, let flagKey, let version):
                let draft = try rollback(ofOverrideOf: flagKey, tenant: tenant, to: version, in: scope)
                putOverride(draft, in: scope) { completion($0.map(Written.override)) }
            case .setArchived(let key, let isArchived):
                let change = archiving(key, isArchived, in: scope, expecting: expected)
                self.change(change, completion: { completion($0.map(Written.flag)) }, check: checkArchiving)
            case .restoreFlag(let key, let restoration):
                restore(key, restoration, in: scope, completion: completion)
            case .promoteFlag(let key, let promotion):
                completion(.success(.promoted(try promote(key, promotion, in: scope, expecting: expected))))
            default: preconditionFailure("the others are done by apply")
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// Says what such an operation would leave; the rest is as `check`.
    func checkSecondThought(_ operation: FlagOperation, in scope: WriteScope) throws(FlagStoreError) -> Written {
        let expected = operation.expectedVersion
        switch operation.change {
        case .rollbackFlag(let key, let version):
            let change = try rollback(ofFlag: key, to: version, in: scope, expecting: expected)
            return .flag(try outcome(of: change, check: checkReferences).new)
        case .rollbackSegment(let name, let version):
            let change = try rollback(ofSegment: name, to: version, in: scope, expecting: expected)
            return .segment(try outcome(of: change, check: checkReferences).new)
        case .rollbackOverride(let tenant, let flagKey, let version):
            let draft = try rollback(ofOverrideOf: flagKey, tenant: tenant, to: version, in: scope)
            try requireFlag(flagKey, in: scope.environment)
            return .override(try record(of: draft, in: scope))
        case .setArchived(let key, let isArchived):
            let change = archiving(key, isArchived, in: scope, expecting: expected)
            return .flag(try outcome(of: change, check: checkArchiving).new)
        case .restoreFlag(let key, let restoration):
            let (flag, overrides) = try restored(key, restoration, in: scope)
            return .restored(flag, overrides: overrides.count)
        case .promoteFlag(let key, let promotion):
            return .promoted(try plan(key, promotion, in: scope, expecting: expected))
        default: preconditionFailure("the others are checked by check")
        }
    }
}
