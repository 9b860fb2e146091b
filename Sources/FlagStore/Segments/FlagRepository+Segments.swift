import Access
import DynamoModel
import FlagCore
import JSON

/// One page of segments.
package typealias SegmentPage = ListPage<SegmentRecord>

extension FlagRepository {
    /// A segment. Blocks; O(log n).
    ///
    /// - Throws: `notFound`; `invalid` when somebody stored what is no segment; `unavailable`.
    func segment(_ name: String, in environment: Environment) throws(FlagStoreError) -> SegmentRecord {
        guard let item = try item(.segment(environment, name: name)) else { throw .notFound(.segment(name)) }
        do { return try SegmentRecord(item: item, environment: environment, name: name) } catch {
            throw .invalid(error.issues)
        }
    }

    /// Throws unless there is a segment of a name, valid or not. Blocks; O(log n).
    ///
    /// - Throws: `notFound`, `unavailable`.
    func requireSegment(_ name: String, in environment: Environment) throws(FlagStoreError) {
        guard try item(.segment(environment, name: name)) != nil else { throw .notFound(.segment(name)) }
    }

    /// A page of an environment's segments, by name. Items that are no segments are left out. Blocks.
    ///
    /// - Throws: `invalid` for a limit outside 1 to `FlagLimits.pageSize`, `invalidCursor`, `unavailable`.
    func segments(
        in environment: Environment, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> SegmentPage {
        let names = [Attribute.partition, Attribute.sort, Attribute.flagsPartition, Attribute.flagsSort]
        return try page(segmentItems(in: environment), letter: "s", names: names, limit: limit, cursor: cursor) {
            SegmentRecord($0, in: environment)
        }
    }

    /// A page of the keys that a segment lists, in the order of their bytes. Blocks.
    ///
    /// - Throws: as `segments`.
    func keys(
        ofSegment name: String, in environment: Environment, limit: Int = FlagLimits.defaultPageSize,
        cursor: String? = nil
    ) throws(FlagStoreError) -> ListPage<String> {
        let names = [Attribute.partition, Attribute.sort]
        let query = keyItems(ofSegment: name, in: environment)
        return try page(query, letter: "k", names: names, limit: limit, cursor: cursor) { item in
            if case .segmentKey(_, _, let key)? = ItemKey(item) { key } else { nil }
        }
    }

    /// The items of an environment's segments, by name.
    func segmentItems(in environment: Environment) -> Query {
        Query(
            table: table, index: FlagTable.flagsIndex, partition: .string(ItemKey.segmentsPartition(environment)))
    }

    /// The items of the keys that a segment lists.
    func keyItems(ofSegment name: String, in environment: Environment) -> Query {
        Query(
            table: table, partition: .string(ItemKey.segmentPartition(environment, name)),
            sort: .beginsWith(.string(ItemKey.keyPrefix)))
    }

    /// Calls `body` with every segment of an environment, by name. Blocks.
    func forEachSegment(
        in environment: Environment, _ body: (SegmentRecord) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) {
        try forEachItem(of: segmentItems(in: environment)) { item throws(FlagStoreError) in
            if let record = SegmentRecord(item, in: environment) { try body(record) }
        }
    }

    /// Every key that a segment lists. Blocks; O(keys).
    func allKeys(ofSegment name: String, in environment: Environment) throws(FlagStoreError) -> [String] {
        var keys: [String] = []
        try forEachItem(of: keyItems(ofSegment: name, in: environment)) { item in
            if case .segmentKey(_, _, let key)? = ItemKey(item) { keys.append(key) }
        }
        return keys
    }
}

extension SegmentRecord {
    /// The segment that an item of an environment holds; nil when it holds none.
    package init?(_ item: Item, in environment: Environment) {
        guard case .segment(environment, let name)? = ItemKey(item),
            let record = try? SegmentRecord(item: item, environment: environment, name: name)
        else { return nil }
        self = record
    }
}

// MARK: - Writes

extension FlagRepository {
    /// Creates a segment at version 1, without keys. Begins on a worker queue, since it reads.
    ///
    /// - Parameter completion: receives the segment, or `segmentExists`, `invalid`, `unavailable`.
    func createSegment(
        _ draft: SegmentDraft, in scope: WriteScope, completion: @escaping Completion<SegmentRecord>
    ) {
        create(
            draft, in: scope, else: .segmentExists(name: draft.name), completion: completion, check: checkReferences)
    }

    /// Replaces what a segment says beside its keys, which stay; its version goes up by one. Begins on a worker queue.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. What it says of version and times must be what the segment has.
    ///   - scope: who does it, where and when.
    ///   - expected: the version that the segment must have, nil for whichever it has.
    ///   - completion: receives the segment, or `notFound`, `versionMismatch`, `invalid`, `conflict`, `unavailable`.
    func replaceSegment(
        with draft: SegmentDraft, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<SegmentRecord>
    ) {
        let change = segmentChange(draft.name, in: scope, expecting: expected) { _ in draft }
        self.change(change, completion: completion, check: checkReferences)
    }

    /// Changes some members of a segment. Parameters and answers are those of `replaceSegment`.
    func patchSegment(
        _ name: String, with patch: SegmentPatch, in scope: WriteScope, expecting expected: Int64? = nil,
        completion: @escaping Completion<SegmentRecord>
    ) {
        let change = segmentChange(name, in: scope, expecting: expected, draft: patch.draft)
        self.change(change, completion: completion, check: checkReferences)
    }

    /// The change of a segment into what `draft` makes of it.
    func segmentChange(
        _ name: String, in scope: WriteScope, expecting expected: Int64?,
        draft: @escaping @Sendable (ItemReading<SegmentRecord>) throws(FlagStoreError) -> SegmentDraft
    ) -> RecordChange<SegmentDraft> {
        RecordChange(
            key: .segment(scope.environment, name: name), thing: .segment(name), scope: scope, expected: expected,
            read: { SegmentRecord.reading($0, environment: scope.environment, name: name, at: scope.instant) },
            draft: draft)
    }

    /// Refuses a segment whose condition names what does not exist, or leads back to it. Blocks.
    func checkReferences(of record: SegmentRecord) throws(FlagStoreError) {
        let references = (try? record.parsedCondition())??.references ?? []
        let issues = try segmentCheck(in: record.environment).issues(of: record.name, references)
        guard issues.isEmpty else { throw .invalid(issues) }
    }
}

extension SegmentPatch {
    /// The segment as it would be, or why it cannot be.
    func draft(of current: ItemReading<SegmentRecord>) throws(FlagStoreError) -> SegmentDraft {
        do throws(DefinitionIssues) { return try applied(to: current) } catch { throw .invalid(error.issues) }
    }
}
