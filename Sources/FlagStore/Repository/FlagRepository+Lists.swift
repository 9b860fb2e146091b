import DynamoModel
import FlagCore

/// Which flags of an environment a list asks for.
package struct FlagQuery: Sendable {
    /// Only those of this owner; the list is then in the order of keys.
    package var owner: String?
    /// Only those that should be gone before this time; the list is then soonest first.
    package var expiresBefore: Timestamp?
    /// Only those with this tag.
    package var tag: String?
    /// Those that were put away, which are in no other list.
    package var isArchived: Bool
    /// Flags on the page, at most.
    package var limit: Int
    /// Where the page begins: `nextCursor` of the page before, with the same conditions.
    package var cursor: String?

    /// All flags, newest first.
    package init(
        owner: String? = nil, expiresBefore: Timestamp? = nil, tag: String? = nil, isArchived: Bool = false,
        limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) {
        self.owner = owner
        self.expiresBefore = expiresBefore
        self.tag = tag
        self.isArchived = isArchived
        self.limit = limit
        self.cursor = cursor
    }
}

/// One page of a list.
package struct ListPage<Record: Sendable>: Sendable {
    /// What the page holds, in the list's order.
    package var records: [Record]
    /// What to ask for next; nil when this was all.
    package var nextCursor: String?
    /// How many the whole list has; items that are not valid may be counted. Nil on later pages, and where counting
    /// would not be cheap.
    package var total: Int?
}

/// One page of flags.
package typealias FlagPage = ListPage<FlagRecord>
/// One page of tenant overrides.
package typealias OverridePage = ListPage<TenantOverrideRecord>

extension FlagRepository {
    /// A page of an environment's flags: newest first, by key of one owner, or soonest to expire first. Items that are
    /// no flags are left out. Blocks; O(page), or O(flags) where most are not of the tag.
    ///
    /// - Throws: `invalid` for a limit outside 1 to `FlagLimits.pageSize`, `invalidCursor`, `unavailable`.
    func flags(
        _ query: FlagQuery = FlagQuery(), in environment: Environment
    ) throws(FlagStoreError) -> FlagPage {
        let index: FlagIndex =
            if let owner = query.owner { .owner(owner) } else if query.expiresBefore != nil { .expires } else { .all }
        var sort: SortCondition?
        if case .expires = index, let bound = query.expiresBefore { sort = .less(.string(bound.rfc3339)) }
        let partition = index.partition(in: environment, archived: query.isArchived)
        let pages = Query(
            table: table, index: index.name, partition: .string(partition), sort: sort, forward: index != .all)
        let names = [Attribute.partition, Attribute.sort, index.keyAttributes.partition, index.keyAttributes.sort]
        return try page(
            pages, letter: index.letter, names: names, limit: query.limit, cursor: query.cursor,
            isCounted: query.tag == nil
        ) { item in
            guard let record = try? FlagRecord(item: item), record.environment == environment else { return nil }
            // Somebody may have put it away by hand just now.
            guard record.isArchived == query.isArchived else { return nil }
            if let tag = query.tag, !record.tags.contains(where: { $0.utf8.elementsEqual(tag.utf8) }) { return nil }
            if let bound = query.expiresBefore, record.expiresAt.map({ $0 >= bound }) ?? true { return nil }
            if let owner = query.owner, !record.owner.utf8.elementsEqual(owner.utf8) { return nil }
            return record
        }
    }

    /// How many flags of an environment are past their dates. Blocks; O(such flags).
    ///
    /// - Throws: `unavailable`.
    func staleFlagCount(in environment: Environment, at now: Timestamp) throws(FlagStoreError) -> Int {
        var count = 0
        // A date that is just now has passed (`FlagRecord.isStale`).
        let query = Query(
            table: table, index: FlagTable.expiresIndex,
            partition: .string(FlagIndex.expires.partition(in: environment)),
            sort: .lessOrEqual(.string(now.rfc3339)))
        try forEachItem(of: query) { item in
            if case .flag(environment, _)? = ItemKey(item) { count += 1 }
        }
        return count
    }

    /// A page of the overrides of one flag, by tenant. Blocks.
    ///
    /// - Throws: as `flags`.
    func overrides(
        ofFlag key: String, in environment: Environment, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> OverridePage {
        let pages = Query(
            table: table, index: FlagTable.expiresIndex, partition: .string(ItemKey.flagPartition(environment, key)))
        let names = [Attribute.partition, Attribute.sort, Attribute.expiresPartition, Attribute.expiresSort]
        return try page(pages, letter: "f", names: names, limit: limit, cursor: cursor) { item in
            try? TenantOverrideRecord(item: item)
        }
    }

    /// A page of the overrides of one tenant, by flag key. Blocks.
    ///
    /// - Throws: as `flags`.
    func overrides(
        ofTenant tenant: String, in environment: Environment, limit: Int = FlagLimits.defaultPageSize,
        cursor: String? = nil
    ) throws(FlagStoreError) -> OverridePage {
        let pages = Query(table: table, partition: .string(ItemKey.tenantPartition(environment, tenant)))
        let names = [Attribute.partition, Attribute.sort]
        return try page(pages, letter: "t", names: names, limit: limit, cursor: cursor) { item in
            try? TenantOverrideRecord(item: item)
        }
    }

    /// Collects records from pages of items until there are `limit` of them, or `FlagLimits.pageBytes`.
    ///
    /// One more item than needed is asked for, so that the last page knows that it is the last. A first page says how
    /// many there are in all, if `isCounted` and there are not too many to count.
    func page<Record>(
        _ pages: Query, letter: String, names: [AttributeName], limit: Int, cursor: String?,
        isCounted: Bool = true, record: (Item) -> Record?
    ) throws(FlagStoreError) -> ListPage<Record> {
        try FlagLimits.check(pageSize: limit)
        var query = pages
        query.limit = limit + 1
        if let cursor { query.exclusiveStart = try ListCursor(cursor, letter: letter, names: names).start }
        var records: [Record] = []
        var bytes = 0
        var last: Item?
        while true {
            let found: QueryPage
            do { found = try store.query(query) } catch {
                // The table refuses a start that is not in the partition: somebody edited the cursor.
                if cursor != nil, case .validation = error { throw .invalidCursor }
                throw FlagStoreError(error)
            }
            for item in found.items {
                guard let record = record(item) else { continue }
                if records.count == limit || bytes >= FlagLimits.pageBytes, let last {
                    let next = ListCursor(letter: letter, after: last, names: names)
                    let total = isCounted && cursor == nil ? try count(pages) : nil
                    return ListPage(records: records, nextCursor: next.text(names: names), total: total)
                }
                records.append(record)
                bytes += item.storedBytes
                last = item
            }
            guard let next = found.lastEvaluatedKey else {
                return ListPage(records: records, total: isCounted && cursor == nil ? records.count : nil)
            }
            query.exclusiveStart = next
        }
    }

    private func count(_ query: Query) throws(FlagStoreError) -> Int? {
        do { return try store.count(query, upTo: FlagLimits.counted) } catch { throw FlagStoreError(error) }
    }
}

extension FlagLimits {
    /// Refuses a page of another size than pages may have.
    static func check(pageSize limit: Int) throws(FlagStoreError) {
        guard !(1...pageSize).contains(limit) else { return }
        let message = "must be a whole number from 1 to \(pageSize)"
        throw .invalid([DefinitionIssue(pointer: "limit", message: message)])
    }
}
