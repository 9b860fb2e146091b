import Access
import Dispatch
import DynamoModel
import FlagCore

extension FlagRepository {
    /// Deletes a flag with all overrides of it, and ends its kill switch: in one transaction when there are fewer than
    /// 97 overrides, else page after page, the flag and the kill switch with the last one. Begins on a worker queue,
    /// since it reads.
    ///
    /// An override that somebody sets between the reading and the deleting is found and deleted afterwards, unless the
    /// flag has been created again by then.
    ///
    /// - Parameters:
    ///   - expected: the version that the flag must have, nil for whichever it has.
    ///   - completion: is told that it is gone, or `required`, `notFound`, `versionMismatch`, `unavailable`.
    /// - Complexity: O(overrides of the flag), and what `dependents` takes.
    func delete(
        _ key: String, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<Void>
    ) {
        do throws(FlagStoreError) {
            try requireNoDependents(of: key, in: scope.environment)
        } catch {
            return completion(.failure(error))
        }
        remove(key, in: scope, expecting: expected, completion: completion)
    }

    /// Refuses a flag that others require. Blocks.
    func requireNoDependents(of key: String, in environment: Environment) throws(FlagStoreError) {
        let dependents = try dependents(of: key, in: environment).map(\.flagKey)
        guard dependents.isEmpty else { throw .required(flagKey: key, by: dependents) }
    }

    /// The same without looking who requires it: for whoever has looked. It may be stopped between two pages, while the
    /// flag is still there.
    ///
    /// - Parameter keepsKillSwitch: whether its kill switch stays, for a flag of the same key that is to come.
    package func remove(
        _ key: String, in scope: WriteScope, expecting expected: Int64?, keepsKillSwitch: Bool = false,
        _ progress: WorkProgress = WorkProgress(), completion: @escaping Completion<Void>
    ) {
        do throws(FlagStoreError) {
            guard let item = try item(.flag(scope.environment, key: key)) else { throw .notFound(.flag(key)) }
            let version = RecordVersion.of(item)
            if let expected, expected != version {
                throw .versionMismatch(of: .flag(key), expected: expected, current: version)
            }
            let deletion = FlagDeletion(
                repository: self, key: key, scope: scope, expected: expected,
                condition: expected == nil ? .exists : .isAtVersion(of: item), keepsKillSwitch: keepsKillSwitch,
                progress: progress, completion: completion)
            try deletion.nextPage()
        } catch {
            completion(.failure(error))
        }
    }
}

/// A flag's deletion that is under way.
private struct FlagDeletion: Sendable {
    let repository: FlagRepository
    let key: String
    let scope: WriteScope
    let expected: Int64?
    /// What must hold of the flag.
    let condition: Condition
    let keepsKillSwitch: Bool
    let progress: WorkProgress
    let completion: FlagRepository.Completion<Void>

    /// Deletes the overrides that come first, and the flag if these are the last.
    func nextPage() throws(FlagStoreError) {
        try progress.check()
        let page = try someOverrides()
        let flag = ItemKey.flag(scope.environment, key: key)
        var operations = page.keys.map { repository.delete($0) }
        if page.isLast {
            if !keepsKillSwitch { operations.append(repository.delete(.killSwitch(scope.environment, flagKey: key))) }
            operations.append(repository.delete(flag, if: condition))
        } else {
            operations.append(.check(table: repository.table, key: flag.tableKey, condition: condition))
        }
        repository.write(operations, in: scope) { result in
            switch result {
            case .success:
                onward { () throws(FlagStoreError) in page.isLast ? try sweep() : try nextPage() }
            case .failure(let error):
                completion(.failure(self.error(for: error)))
            }
        }
    }

    /// Deletes overrides that came in between the reading of the last page and its deletion.
    private func sweep() throws(FlagStoreError) {
        let page = try someOverrides()
        guard !page.keys.isEmpty else { return completion(.success(())) }
        let isGone = WriteOperation.check(
            table: repository.table, key: ItemKey.flag(scope.environment, key: key).tableKey,
            condition: .attributeNotExists(DocumentPath(Attribute.partition)))
        let operations = page.keys.map { repository.delete($0) } + [isGone]
        repository.write(operations, in: scope) { result in
            switch result {
            case .success:
                onward { () throws(FlagStoreError) in try sweep() }
            case .failure(let error):
                // Created again meanwhile: what is there belongs to the new flag, and this deletion is done.
                completion(error.failedCondition == nil ? .failure(FlagStoreError(error)) : .success(()))
            }
        }
    }

    /// Goes on where reading is allowed.
    private func onward(_ body: @escaping @Sendable () throws(FlagStoreError) -> Void) {
        repository.continuations.async {
            do throws(FlagStoreError) { try body() } catch { completion(.failure(error)) }
        }
    }

    private func someOverrides() throws(FlagStoreError) -> (keys: [ItemKey], isLast: Bool) {
        // Room for the flag itself and its kill switch beside them.
        let limit = FlagLimits.operationsPerTransaction - 2
        let query = Query(
            table: repository.table, index: FlagTable.expiresIndex,
            partition: .string(ItemKey.flagPartition(scope.environment, key)), limit: limit)
        let page = try reading { () throws(TableError) in try repository.store.query(query) }
        // A page may end early, when its items are large.
        return (page.items.compactMap { ItemKey($0) }, page.lastEvaluatedKey == nil)
    }

    private func error(for error: TableError) -> FlagStoreError {
        guard let failed = error.failedCondition else { return FlagStoreError(error) }
        guard let existing = failed.existing, let expected else { return .notFound(.flag(key)) }
        return .versionMismatch(of: .flag(key), expected: expected, current: RecordVersion.of(existing))
    }
}
