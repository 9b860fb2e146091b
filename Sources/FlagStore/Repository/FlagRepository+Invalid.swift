import Bytes
import DynamoModel
import FlagCache
import FlagCore

/// A flag or a segment whose item is not valid.
package struct InvalidItem: Sendable {
    /// The flag's key, or the segment's name.
    package let name: String
    /// What is wrong with the item.
    package let issues: [DefinitionIssue]
}

/// A tenant's override whose item is not valid.
package struct InvalidOverride: Sendable {
    /// The tenant.
    package let tenant: String
    /// The flag.
    package let flagKey: String
    /// What is wrong with the item.
    package let issues: [DefinitionIssue]
}

/// Items that are not valid are noted in the internal table within moments of being written, with the form that was
/// valid last where there is one: see `FlagTableFollower`.
extension FlagRepository {
    /// The flags of an environment whose items are not valid, by key, at most `FlagLimits.pageSize`: those that would
    /// be in a list, and those of which that cannot be told. Blocks; O(such flags).
    ///
    /// - Throws: `unavailable`.
    func invalidFlags(
        _ query: FlagQuery = FlagQuery(), in environment: Environment
    ) throws(FlagStoreError) -> [InvalidItem] {
        try invalid(in: FlagHistoryTable.heldPartition(environment)) { form throws(FlagStoreError) in
            // It may have been put right, or deleted, and not been let go yet.
            guard let key = form[Attribute.sort]?.stringValue, let item = try item(.flag(environment, key: key)),
                case .invalid(let issues, _) = FlagReadingOfItem(item, environment: environment, key: key),
                query.mayList(item, environment: environment, key: key)
            else { return nil }
            return InvalidItem(name: key, issues: issues)
        }
    }

    /// The segments of an environment whose items are not valid, by name, at most `FlagLimits.pageSize`. Blocks; O(such
    /// segments).
    ///
    /// - Throws: `unavailable`.
    func invalidSegments(in environment: Environment) throws(FlagStoreError) -> [InvalidItem] {
        try invalid(in: FlagHistoryTable.heldSegmentsPartition(environment)) { form throws(FlagStoreError) in
            guard let name = form[Attribute.sort]?.stringValue, let item = try item(.segment(environment, name: name))
            else { return nil }
            let issues = SegmentRecord.issues(of: item, environment: environment, name: name)
            return issues.isEmpty ? nil : InvalidItem(name: name, issues: issues)
        }
    }

    /// The overrides of an environment whose items are not valid, at most `FlagLimits.pageSize`. Blocks; O(such
    /// overrides).
    ///
    /// - Parameters:
    ///   - tenant: only those of this tenant; nil for all.
    ///   - flagKey: only those of this flag; nil for all.
    /// - Throws: `unavailable`.
    func invalidOverrides(
        ofTenant tenant: String? = nil, ofFlag flagKey: String? = nil, in environment: Environment
    ) throws(FlagStoreError) -> [InvalidOverride] {
        try invalid(in: FlagHistoryTable.heldOverridesPartition(environment)) { form throws(FlagStoreError) in
            let place = FlagHistoryTable.placeOfOverride(form, in: environment)
            guard case .override(_, let itsTenant, let itsFlag)? = place,
                tenant.map({ ExactText($0) == itsTenant }) ?? true, flagKey.map({ ExactText($0) == itsFlag }) ?? true,
                let item = try item(.override(environment, tenant: itsTenant.text, flagKey: itsFlag.text))
            else { return nil }
            do throws(DefinitionIssues) { _ = try TenantOverrideRecord(item: item) } catch {
                return InvalidOverride(tenant: itsTenant.text, flagKey: itsFlag.text, issues: error.issues)
            }
            return nil
        }
    }

    /// What `read` makes of what is kept in a partition of the internal table, at most `FlagLimits.pageSize`.
    private func invalid<Found>(
        in partition: String, _ read: (Item) throws(FlagStoreError) -> Found?
    ) throws(FlagStoreError) -> [Found] {
        var found: [Found] = []
        try forEachForm(in: partition) { form throws(FlagStoreError) in
            if let one = try read(form) { found.append(one) }
            return found.count < FlagLimits.pageSize
        }
        return found
    }

    /// Calls `body` with the rule that holds of every flag of an environment whose item is not valid now. Blocks.
    func forEachLastValidRule(
        in environment: Environment, _ body: (_ key: String, FlagRule) -> Void
    ) throws(FlagStoreError) {
        try forEachForm(in: FlagHistoryTable.heldPartition(environment)) { form in
            if let flag = HeldFlag(item: form, environment: environment) { body(flag.key, flag.rule) }
            return true
        }
    }

    /// Calls `body` with what holds of every segment of an environment whose item is not valid now. Blocks.
    func forEachLastValidHead(
        in environment: Environment, _ body: (_ name: String, SegmentHead) -> Void
    ) throws(FlagStoreError) {
        try forEachForm(in: FlagHistoryTable.heldSegmentsPartition(environment)) { form in
            if let name = form[Attribute.sort]?.stringValue, let head = FlagHistoryTable.heldHead(form) {
                body(name, head)
            }
            return true
        }
    }

    /// Calls `body` with what is kept in a partition of the internal table, until it answers false.
    private func forEachForm(
        in partition: String, _ body: (Item) throws(FlagStoreError) -> Bool
    ) throws(FlagStoreError) {
        var held = Query(table: FlagHistoryTable.name(beside: table), partition: .string(partition))
        while true {
            let page: QueryPage
            do throws(TableError) { page = try store.query(held) } catch {
                // Without the internal table nothing is kept.
                if case .tableNotFound = error { return }
                throw FlagStoreError(error)
            }
            for form in page.items where try !body(form) { return }
            guard let next = page.lastEvaluatedKey else { return }
            held.exclusiveStart = next
        }
    }
}

extension FlagQuery {
    /// Whether the list would have a flag whose item is not valid, as far as the item says.
    fileprivate func mayList(_ item: Item, environment: Environment, key: String) -> Bool {
        let epoch = Timestamp(millisecondsSinceEpoch: 0)
        let reading = FlagRecord.reading(item, environment: environment, key: key, at: epoch)
        func cannotBeRead(_ name: AttributeName) -> Bool { reading.issues.contains { $0.pointer == "/\(name)" } }
        let flag = reading.record
        if !cannotBeRead(Attribute.archived), isArchived != flag.isArchived { return false }
        if let owner, !cannotBeRead(Attribute.owner), ExactText(owner) != ExactText(flag.owner) { return false }
        if let tag, !cannotBeRead(Attribute.tags), !flag.tags.contains(where: { ExactText($0) == ExactText(tag) }) {
            return false
        }
        guard let expiresBefore, !cannotBeRead(Attribute.expiresAt) else { return true }
        return flag.expiresAt.map { $0 < expiresBefore } ?? false
    }
}
