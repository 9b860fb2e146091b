import Access
import Bytes
import DynamoModel
import FlagCore
import JSON

/// That a flag which was deleted is to be brought back.
struct FlagRestoration: Sendable {
    /// Whether the overrides come back that were deleted with it.
    let withOverrides: Bool

    /// Reads a body, `{"withOverrides"?: true}` or nothing.
    ///
    /// - Throws: everything that is wrong with it.
    init(body: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: body.isNull ? [:] : body, #"such as {"withOverrides": true}, or be left out"#)
        withOverrides = reader.flag("withOverrides") ?? false
        try reader.finish()
    }
}

extension FlagRepository {
    /// Brings a flag back as it was when it was deleted, with its creation time and at the version that follows.
    /// Blocks, and for its overrides until these are durable.
    ///
    /// Where there are more overrides than go into one transaction they are written first, so that nobody is served the
    /// flag without them: the order of a deletion backwards. While there is no flag nobody looks at them, and after a
    /// failure doing the same again does the rest.
    ///
    /// - Parameter completion: receives the flag and how many overrides came back, or `alreadyExists`,
    ///   `nothingToRestore`, `versionNotKept`, `invalid`, `unavailable`.
    func restore(
        _ key: String, _ restoration: FlagRestoration, in scope: WriteScope,
        completion: @escaping Completion<Written>
    ) {
        let flag: FlagRecord
        var overrides: [TenantOverrideRecord]
        do throws(FlagStoreError) {
            (flag, overrides) = try restored(key, restoration, in: scope)
            try writeFirst(&overrides, of: key, in: scope)
        } catch { return completion(.failure(error)) }
        let count = overrides.count
        let last = overrides.suffix(Self.lastOverrides)
        let isNew = Condition.attributeNotExists(DocumentPath(Attribute.partition))
        write(last.map { put($0.item) } + [put(flag.item, if: isNew)], in: scope) { result in
            completion(
                result.map { _ in .restored(flag, overrides: count) }.mapError { error in
                    error.failedCondition == nil ? FlagStoreError(error) : .alreadyExists(flagKey: key)
                })
        }
    }

    /// Overrides that are written together with the flag.
    private static let lastOverrides = FlagLimits.operationsPerTransaction - 1

    /// Writes all overrides but the last ones.
    private func writeFirst(
        _ overrides: inout [TenantOverrideRecord], of key: String, in scope: WriteScope
    ) throws(FlagStoreError) {
        guard overrides.count > Self.lastOverrides else { return }
        let isGone = WriteOperation.check(
            table: table, key: ItemKey.flag(scope.environment, key: key).tableKey,
            condition: .attributeNotExists(DocumentPath(Attribute.partition)))
        do throws(FlagStoreError) {
            try BulkWriter(repository: self, scope: scope).write(
                overrides.dropLast(Self.lastOverrides).lazy.map { (key, self.put($0.item)) }, check: (key, isGone))
        } catch {
            if case .conflict = error { throw .alreadyExists(flagKey: key) }
            throw error
        }
    }

    /// What a restoration brings back, checked like something new. Blocks.
    func restored(
        _ key: String, _ restoration: FlagRestoration, in scope: WriteScope
    ) throws(FlagStoreError) -> (flag: FlagRecord, overrides: [TenantOverrideRecord]) {
        let environment = scope.environment
        guard try item(.flag(environment, key: key)) == nil else { throw .alreadyExists(flagKey: key) }
        guard let deletion = try deletion(of: key, in: environment) else { throw .nothingToRestore(flagKey: key) }
        let name = VersionName.entry(deletion.sequence)
        guard let content = try version(name, of: .flag(key), in: environment).content.object else {
            throw .versionNotKept(of: .flag(key), name)
        }
        let draft: FlagDraft
        do throws(DefinitionIssues) { draft = try FlagDraft(json: .object(content), key: key) } catch {
            throw .invalid(error.issues)
        }
        let createdAt = draft.createdAt ?? scope.instant
        let flag = draft.record(
            in: environment, createdAt: createdAt, updatedAt: max(scope.instant, createdAt),
            version: deletion.version.map(RecordVersion.next) ?? 1)
        guard flag.sizeIssues.isEmpty else { throw .invalid(flag.sizeIssues) }
        try checkReferences(of: flag)
        guard restoration.withOverrides, let requestID = deletion.requestID else { return (flag, []) }
        return (flag, try deletedOverrides(of: key, by: requestID, in: scope))
    }

    /// The entry that says that a flag was deleted; nil when nothing says so. Blocks.
    private func deletion(of key: String, in environment: Environment) throws(FlagStoreError) -> FlagHistoryEntry? {
        try histories.requireCurrent()
        var stream = HistoryStream(of: .flag(key), in: environment, from: store, historyTable, page: 20, isOwn: true)
        while let entry = try stream.next() {
            if entry.event == .deleted { return entry }
        }
        return nil
    }

    // MARK: - Overrides

    /// The overrides of a flag that a request deleted, by tenant, without those that have ended since. Blocks; O(those
    /// that are kept of the flag).
    private func deletedOverrides(
        of key: String, by requestID: String, in scope: WriteScope
    ) throws(FlagStoreError) -> [TenantOverrideRecord] {
        var contents: [ExactText: JSONObject] = [:]
        let environment = scope.environment
        var stream = HistoryStream(
            of: .flag(key), in: environment, from: store, historyTable, page: FlagLimits.defaultPageSize)
        while let entry = try stream.next() {
            guard entry.requestID == requestID, entry.event == .deleted, let tenant = entry.override?.tenant else {
                continue
            }
            let subject = HistorySubject.override(flagKey: key, tenant: tenant)
            contents[ExactText(tenant)] = try version(.entry(entry.sequence), of: subject, in: environment).content
                .object
        }
        let partition = FlagHistoryTable.deletedOverridesPartition(environment, key)
        try forEachItem(of: Query(table: historyTable, partition: .string(partition))) { item in
            guard let deleted = DeletedOverrides(item: item), deleted.requestID == requestID else { return }
            for (tenant, content) in deleted.contents { contents[ExactText(tenant)] = content }
        }
        return contents.sorted { $0.key < $1.key }.compactMap { tenant, content in
            let draft = try? TenantOverrideDraft(json: .object(content), tenant: tenant.text, flagKey: key)
            guard let draft, draft.issues(in: environment, at: scope.instant).isEmpty else { return nil }
            return draft.record(in: environment, at: scope.instant)
        }
    }
}
