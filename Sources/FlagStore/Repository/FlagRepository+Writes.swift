import DynamoTable
import FlagCore

extension FlagRepository {
    /// How often a write without an expected version is tried again when others change the same flag meanwhile.
    private static let attempts = 16

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
        let record = draft.record(
            in: environment, createdAt: draft.createdAt ?? now, updatedAt: now, version: 1)
        let issues = draft.issues(in: environment, asFormOf: nil) + record.sizeIssues
        guard issues.isEmpty else { return completion(.failure(.invalid(issues))) }
        do throws(FlagStoreError) { try checkReferences(of: record) } catch { return completion(.failure(error)) }
        let operations = [put(record.item, if: .attributeNotExists(DocumentPath(Attribute.partition)))]
        write(operations, in: environment, by: principal) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    error.failedCondition == nil ? FlagStoreError(error) : .alreadyExists(flagKey: record.key)
                })
        }
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
        draft: @escaping @Sendable (FlagRecord) throws(FlagStoreError) -> FlagDraft
    ) {
        let current: Item?
        do throws(FlagStoreError) { current = try item(.flag(environment, key: key)) } catch {
            return completion(.failure(error))
        }
        let change = FlagChange(
            key: key, environment: environment, expected: expected, principal: principal, now: now, draft: draft)
        do throws(FlagStoreError) { try checkReferences(of: change.applied(to: current).new) } catch {
            return completion(.failure(error))
        }
        attempt(change, on: current, remaining: FlagRepository.attempts, completion: completion)
    }

    /// Tries a change on the flag as it is; when somebody was faster, again on what they left, which the table's answer
    /// holds.
    private func attempt(
        _ change: FlagChange, on current: Item?, remaining: Int, completion: @escaping Completion<FlagRecord>
    ) {
        let old: FlagRecord
        let new: FlagRecord
        do throws(FlagStoreError) { (old, new) = try change.applied(to: current) } catch {
            return completion(.failure(error))
        }
        let operations = [put(new.item, if: .isAt(version: old.version))]
        write(operations, in: change.environment, by: change.principal) { result in
            switch result {
            case .success:
                completion(.success(new))
            case .failure(let error):
                guard let failed = error.failedCondition else { return completion(.failure(FlagStoreError(error))) }
                guard remaining > 1 else { return completion(.failure(.conflict(name: change.key))) }
                self.attempt(change, on: failed.existing, remaining: remaining - 1, completion: completion)
            }
        }
    }
}

/// A change of a flag that is under way.
private struct FlagChange: Sendable {
    let key: String
    let environment: Environment
    let expected: Int64?
    let principal: Principal
    let now: Timestamp
    let draft: @Sendable (FlagRecord) throws(FlagStoreError) -> FlagDraft

    /// The flag as it is and as it would be.
    func applied(to item: Item?) throws(FlagStoreError) -> (old: FlagRecord, new: FlagRecord) {
        guard let item else { throw .notFound("flag \(key)") }
        let old = FlagRecord(repairing: item, environment: environment, key: key, at: now)
        if let expected, expected != old.version { throw .versionMismatch(expected: expected, current: old.version) }
        let draft = try draft(old)
        if let version = draft.version, version != old.version {
            throw .versionMismatch(expected: version, current: old.version)
        }
        // A clock that was set back must not make a change look older than what it changed.
        let new = draft.record(
            in: environment, createdAt: old.createdAt, updatedAt: max(now, old.updatedAt), version: old.version + 1)
        let issues = draft.issues(in: environment, asFormOf: old) + new.sizeIssues
        if !issues.isEmpty { throw .invalid(issues) }
        return (old, new)
    }
}

// MARK: - Overrides

extension FlagRepository {
    /// Sets what a flag answers for a tenant; the flag must exist.
    ///
    /// - Parameter completion: receives the override, or `notFound` (the flag), `invalid`, `unavailable`.
    package func putOverride(
        _ draft: TenantOverrideDraft, in environment: Environment, by principal: Principal, at now: Timestamp,
        completion: @escaping Completion<TenantOverrideRecord>
    ) {
        if let named = draft.environment, named != environment {
            return completion(.failure(.invalid([.wrongEnvironment(named, environment)])))
        }
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
                    error.failedCondition == nil ? FlagStoreError(error) : .notFound("flag \(draft.flagKey)")
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
                        ? FlagStoreError(error) : .notFound("override of the flag \(flagKey) for the tenant \(tenant)")
                })
        }
    }
}

// MARK: - Kill switches

extension FlagRepository {
    /// Sets a kill switch, in force on every loop before `completion` is called. One that is on already is set again,
    /// with the new reason: nothing may keep it from being set, so there is no condition.
    ///
    /// - Parameter completion: receives the kill switch, or `invalid`, `unavailable`.
    package func setKillSwitch(
        _ draft: KillSwitchDraft, in environment: Environment, by principal: Principal, at now: Timestamp,
        completion: @escaping Completion<KillSwitchRecord>
    ) {
        let record = draft.record(in: environment, at: now)
        write([put(record.item)], in: environment, by: principal) { result in
            completion(result.map { _ in record }.mapError { FlagStoreError($0) })
        }
    }

    /// Takes a kill switch away.
    ///
    /// - Parameters:
    ///   - flagKey: nil for the one of all flags.
    ///   - completion: is told that it is gone, or `notFound`, `unavailable`.
    package func clearKillSwitch(
        flagKey: String?, in environment: Environment, by principal: Principal, completion: @escaping Completion<Void>
    ) {
        write([delete(.killSwitch(environment, flagKey: flagKey), if: .exists)], in: environment, by: principal) {
            result in
            completion(
                result.map { _ in }.mapError { error in
                    let name = flagKey.map { "kill switch of the flag \($0)" } ?? "global kill switch"
                    return error.failedCondition == nil ? FlagStoreError(error) : .notFound(name)
                })
        }
    }
}
