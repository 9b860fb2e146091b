import Access
import Bytes
import DynamoModel
import FlagCore
import JSON

extension FlagRepository {
    /// Creates a flag at version 1.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. A `createdAt` of its own is kept; its version means nothing for a new flag.
    ///   - scope: who does it, where and when.
    ///   - completion: receives the flag, or `alreadyExists`, `invalid`, `unavailable`.
    func create(_ draft: FlagDraft, in scope: WriteScope, completion: @escaping Completion<FlagRecord>) {
        create(
            draft, in: scope, else: .alreadyExists(flagKey: draft.key), completion: completion, check: checkReferences)
    }

    /// Replaces a flag; its creation time stays, its version goes up by one.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. What it says of version and times must be what the flag has.
    ///   - scope: who does it, where and when.
    ///   - expected: the version that the flag must have, nil for whichever it has.
    ///   - completion: receives the flag, or `notFound`, `versionMismatch`, `invalid`, `conflict`, `unavailable`.
    func replace(
        with draft: FlagDraft, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<FlagRecord>
    ) {
        let change = flagChange(draft.key, in: scope, expecting: expected) { _ in draft }
        self.change(change, completion: completion, check: checkReferences)
    }

    /// Changes some members of a flag. Parameters and answers are those of `replace`.
    func patch(
        _ key: String, with patch: FlagPatch, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<FlagRecord>
    ) {
        let change = flagChange(key, in: scope, expecting: expected, draft: patch.draft)
        self.change(change, completion: completion, check: checkReferences)
    }

    /// The change of a flag into what `draft` makes of it. One that was put away is not changed.
    func flagChange(
        _ key: String, in scope: WriteScope, expecting expected: Int64?,
        draft: @escaping @Sendable (ItemReading<FlagRecord>) throws(FlagStoreError) -> FlagDraft
    ) -> RecordChange<FlagDraft> {
        RecordChange(
            key: .flag(scope.environment, key: key), thing: .flag(key), scope: scope, expected: expected,
            read: { FlagRecord.reading($0, environment: scope.environment, key: key, at: scope.instant) },
            draft: { (reading) throws(FlagStoreError) in
                guard !reading.record.isArchived else { throw .flagArchived(flagKey: key) }
                let draft = try draft(reading)
                if draft.isArchived { throw .invalid([.notArchivedSo]) }
                return draft
            })
    }
}

extension ItemKey {
    /// The override is not the one that somebody expected.
    fileprivate func isOtherOverride(_ existing: Item?, _ expected: Int64?) -> FlagStoreError {
        guard case .override(_, let tenant, let flagKey) = self else { return .overtaken }
        return .versionMismatch(
            of: .override(flagKey: flagKey, tenant: tenant), expected: expected ?? 0,
            current: OverrideVersion.of(existing))
    }
}

extension FlagPatch {
    /// The flag as it would be, or why it cannot be.
    func draft(of current: ItemReading<FlagRecord>) throws(FlagStoreError) -> FlagDraft {
        do throws(DefinitionIssues) { return try applied(to: current) } catch { throw .invalid(error.issues) }
    }
}

// MARK: - Overrides

extension FlagRepository {
    /// Sets what a flag answers for a tenant; the flag must exist, and the override must not have ended. Begins on a
    /// worker queue, since it reads.
    ///
    /// - Parameters:
    ///   - expected: what it must have for a version (`FlagReader.version`), nil for whichever it has.
    ///   - completion: receives the override, or `notFound` (the flag), `versionMismatch`, `invalid`, `unavailable`.
    func putOverride(
        _ draft: TenantOverrideDraft, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<TenantOverrideRecord>
    ) {
        let record: TenantOverrideRecord
        let condition: Condition?
        do throws(FlagStoreError) {
            record = try self.record(of: draft, in: scope)
            condition = try self.condition(ofOverride: record.itemKey, expecting: expected)
        } catch {
            return completion(.failure(error))
        }
        let operations = [
            put(record.item, if: condition),
            WriteOperation.check(
                table: table, key: ItemKey.flag(scope.environment, key: draft.flagKey).tableKey,
                condition: .attributeExists(DocumentPath(Attribute.partition))),
        ]
        write(operations, in: scope) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    switch error.failedCondition {
                    case nil: FlagStoreError(error)
                    case (0, let existing)?: record.itemKey.isOtherOverride(existing, expected)
                    case _?: .notFound(.flag(draft.flagKey))
                    }
                })
        }
    }

    /// Takes a tenant's override of a flag away.
    ///
    /// - Parameters:
    ///   - expected: what it must have for a version (`FlagReader.version`), nil for whichever it has.
    ///   - completion: is told that it is gone, or `notFound`, `versionMismatch`, `unavailable`.
    func deleteOverride(
        ofTenant tenant: String, flagKey: String, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<Void>
    ) {
        let key = ItemKey.override(scope.environment, tenant: tenant, flagKey: flagKey)
        let condition: Condition
        do throws(FlagStoreError) {
            condition = try self.condition(ofOverride: key, expecting: expected).map { .and([.exists, $0]) } ?? .exists
        } catch {
            return completion(.failure(error))
        }
        write([delete(key, if: condition)], in: scope) { result in
            completion(
                result.map { _ in }.mapError { error in
                    guard let failed = error.failedCondition else { return FlagStoreError(error) }
                    return failed.existing == nil
                        ? .notFound(.override(flagKey: flagKey, tenant: tenant))
                        : key.isOtherOverride(failed.existing, expected)
                })
        }
    }

    /// What must hold of an override for it to be the one that is expected; nil where any will do. Blocks.
    ///
    /// - Throws: `versionMismatch` when it is another one now.
    func condition(ofOverride key: ItemKey, expecting expected: Int64?) throws(FlagStoreError) -> Condition? {
        guard let expected else { return nil }
        let item = try item(key)
        guard OverrideVersion.of(item) == expected else { throw key.isOtherOverride(item, expected) }
        return OverrideVersion.isStill(item)
    }

    /// The override that a draft makes. Refused is one that evaluation would ignore: of a variant that the flag does
    /// not have, or `enabled` of a flag that is not boolean. The flag may still change later; then the override is
    /// ignored. Blocks.
    func record(of draft: TenantOverrideDraft, in scope: WriteScope) throws(FlagStoreError) -> TenantOverrideRecord {
        var issues = draft.issues(in: scope.environment, at: scope.instant)
        if issues.isEmpty, let rule = try rule(ofFlag: draft.flagKey, in: scope.environment) {
            issues += VariantChoices(rule)?.issues(of: draft.override.choice) ?? []
        }
        guard issues.isEmpty else { throw .invalid(issues) }
        return draft.record(in: scope.environment, at: scope.instant)
    }

    /// How a flag decides; nil where that is not valid, and every override may be right.
    func rule(ofFlag key: String, in environment: Environment) throws(FlagStoreError) -> FlagRule? {
        do throws(FlagStoreError) { return try flag(key, in: environment).rule } catch {
            if case .invalid = error { return nil }
            throw error
        }
    }
}
