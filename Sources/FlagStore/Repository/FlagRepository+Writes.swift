import DynamoModel
import FlagCore

extension FlagRepository {
    /// Creates a flag at version 1.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. A `createdAt` of its own is kept; its version means nothing for a new flag.
    ///   - environment: where.
    ///   - principal: who does it.
    ///   - now: the time of the change.
    ///   - completion: receives the flag, or `alreadyExists`, `invalid`, `unavailable`.
    package func create(
        _ draft: FlagDraft, in environment: Environment, by principal: Principal, at now: Timestamp,
        completion: @escaping Completion<FlagRecord>
    ) {
        create(
            draft, createdAt: draft.createdAt ?? now, in: environment, by: principal, at: now,
            else: .alreadyExists(flagKey: draft.key), completion: completion, check: checkReferences)
    }

    /// Replaces a flag; its creation time stays, its version goes up by one.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. What it says of version and times must be what the flag has.
    ///   - environment: where.
    ///   - expected: the version that the flag must have, nil for whichever it has.
    ///   - principal: who does it.
    ///   - now: the time of the change.
    ///   - completion: receives the flag, or `notFound`, `versionMismatch`, `invalid`, `conflict`, `unavailable`.
    package func replace(
        with draft: FlagDraft, in environment: Environment, expecting expected: Int64? = nil, by principal: Principal,
        at now: Timestamp, completion: @escaping Completion<FlagRecord>
    ) {
        change(draft.key, in: environment, expecting: expected, by: principal, at: now, completion: completion) { _ in
            draft
        }
    }

    /// Changes some members of a flag. Parameters and answers are those of `replace`.
    package func patch(
        _ key: String, with patch: FlagPatch, in environment: Environment, expecting expected: Int64? = nil,
        by principal: Principal, at now: Timestamp, completion: @escaping Completion<FlagRecord>
    ) {
        change(key, in: environment, expecting: expected, by: principal, at: now, completion: completion) {
            current throws(FlagStoreError) in
            do throws(DefinitionIssues) { return try patch.applied(to: current) } catch {
                throw FlagStoreError.invalid(error.issues)
            }
        }
    }

    /// Replaces a flag by what `draft` makes of it.
    private func change(
        _ key: String, in environment: Environment, expecting expected: Int64?, by principal: Principal,
        at now: Timestamp, completion: @escaping Completion<FlagRecord>,
        draft: @escaping @Sendable (ItemReading<FlagRecord>) throws(FlagStoreError) -> FlagDraft
    ) {
        let change = RecordChange(
            key: .flag(environment, key: key), thing: .flag(key), environment: environment, expected: expected,
            principal: principal, now: now,
            read: { FlagRecord.reading($0, environment: environment, key: key, at: now) }, draft: draft)
        self.change(change, completion: completion, check: checkReferences)
    }
}

// MARK: - Overrides

extension FlagRepository {
    /// Sets what a flag answers for a tenant; the flag must exist, and the override must not have ended.
    ///
    /// - Parameter completion: receives the override, or `notFound` (the flag), `invalid`, `unavailable`.
    package func putOverride(
        _ draft: TenantOverrideDraft, in environment: Environment, by principal: Principal, at now: Timestamp,
        completion: @escaping Completion<TenantOverrideRecord>
    ) {
        let issues = draft.issues(in: environment, at: now)
        guard issues.isEmpty else { return completion(.failure(.invalid(issues))) }
        let record = draft.record(in: environment, at: now)
        let operations = [
            put(record.item),
            WriteOperation.check(
                table: table, key: ItemKey.flag(environment, key: draft.flagKey).tableKey,
                condition: .attributeExists(DocumentPath(Attribute.partition))),
        ]
        write(operations, in: environment, by: principal) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    error.failedCondition == nil ? FlagStoreError(error) : .notFound(.flag(draft.flagKey))
                })
        }
    }

    /// Takes a tenant's override of a flag away.
    ///
    /// - Parameter completion: is told that it is gone, or `notFound`, `unavailable`.
    package func deleteOverride(
        ofTenant tenant: String, flagKey: String, in environment: Environment, by principal: Principal,
        completion: @escaping Completion<Void>
    ) {
        let key = ItemKey.override(environment, tenant: tenant, flagKey: flagKey)
        write([delete(key, if: .exists)], in: environment, by: principal) { result in
            completion(
                result.map { _ in }.mapError { error in
                    error.failedCondition == nil
                        ? FlagStoreError(error) : .notFound(.override(flagKey: flagKey, tenant: tenant))
                })
        }
    }
}
