import DynamoTable
import FlagCore
import JSON

/// One page of segments.
package typealias SegmentPage = ListPage<SegmentRecord>

extension FlagRepository {
    /// A segment. Blocks; O(log n).
    ///
    /// - Throws: `notFound`; `invalid` when somebody stored what is no segment; `unavailable`.
    package func segment(_ name: String, in environment: Environment) throws(FlagStoreError) -> SegmentRecord {
        guard let item = try item(.segment(environment, name: name)) else { throw .notFound("segment \(name)") }
        do { return try SegmentRecord(item: item, environment: environment, name: name) } catch {
            throw .invalid(error.issues)
        }
    }

    /// A page of an environment's segments, by name. Items that are no segments are left out. Blocks.
    ///
    /// - Throws: `invalid` for a limit outside 1 to `FlagLimits.pageSize`, `invalidCursor`, `unavailable`.
    package func segments(
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
    package func keys(
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
    init?(_ item: Item, in environment: Environment) {
        guard case .segment(environment, let name)? = ItemKey(item),
            let record = try? SegmentRecord(item: item, environment: environment, name: name)
        else { return nil }
        self = record
    }
}

// MARK: - Writes

extension FlagRepository {
    /// How often a write without an expected version is tried again when others change the same segment meanwhile.
    private static let segmentAttempts = 16

    /// Creates a segment at version 1, without keys. Begins on a worker queue, since it reads.
    ///
    /// - Parameter completion: receives the segment, or `segmentExists`, `invalid`, `unavailable`.
    package func createSegment(
        _ draft: SegmentDraft, in environment: Environment, by principal: Principal, at now: Timestamp,
        completion: @escaping Completion<SegmentRecord>
    ) {
        let record = draft.record(in: environment, createdAt: draft.createdAt ?? now, updatedAt: now, version: 1)
        do throws(FlagStoreError) {
            let issues = draft.issues(in: environment, asFormOf: nil) + record.sizeIssues
            guard issues.isEmpty else { throw .invalid(issues) }
            try checkReferences(of: record)
        } catch {
            return completion(.failure(error))
        }
        let operations = [put(record.item, if: .attributeNotExists(DocumentPath(Attribute.partition)))]
        write(operations, in: environment, by: principal) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    error.failedCondition == nil ? FlagStoreError(error) : .segmentExists(name: record.name)
                })
        }
    }

    /// Replaces what a segment says beside its keys, which stay; its version goes up by one. Begins on a worker queue.
    ///
    /// - Parameters:
    ///   - draft: what is wanted. What it says of version and times must be what the segment has.
    ///   - expected: the version that the segment must have, nil for whichever it has.
    ///   - completion: receives the segment, or `notFound`, `versionMismatch`, `invalid`, `conflict`, `unavailable`.
    package func replaceSegment(
        with draft: SegmentDraft, in environment: Environment, expecting expected: Int64? = nil,
        by principal: Principal, at now: Timestamp, completion: @escaping Completion<SegmentRecord>
    ) {
        let change = SegmentUpdate(
            name: draft.name, environment: environment, expected: expected, principal: principal, now: now
        ) { _ in draft }
        begin(change, completion: completion)
    }

    /// Changes some members of a segment. Parameters and answers are those of `replaceSegment`.
    package func patchSegment(
        _ name: String, with patch: SegmentPatch, in environment: Environment, expecting expected: Int64? = nil,
        by principal: Principal, at now: Timestamp, completion: @escaping Completion<SegmentRecord>
    ) {
        let change = SegmentUpdate(
            name: name, environment: environment, expected: expected, principal: principal, now: now
        ) { current throws(FlagStoreError) in
            do throws(DefinitionIssues) { return try patch.applied(to: current) } catch {
                throw FlagStoreError.invalid(error.issues)
            }
        }
        begin(change, completion: completion)
    }

    private func begin(_ change: SegmentUpdate, completion: @escaping Completion<SegmentRecord>) {
        let current: Item?
        do throws(FlagStoreError) {
            current = try item(.segment(change.environment, name: change.name))
            try checkReferences(of: change.applied(to: current).new)
        } catch {
            return completion(.failure(error))
        }
        attempt(change, on: current, remaining: FlagRepository.segmentAttempts, completion: completion)
    }

    /// Tries a change on the segment as it is; when somebody was faster, again on what they left.
    private func attempt(
        _ change: SegmentUpdate, on current: Item?, remaining: Int, completion: @escaping Completion<SegmentRecord>
    ) {
        let old: SegmentRecord
        let new: SegmentRecord
        do throws(FlagStoreError) { (old, new) = try change.applied(to: current) } catch {
            return completion(.failure(error))
        }
        write([put(new.item, if: .isAt(version: old.version))], in: change.environment, by: change.principal) {
            result in
            switch result {
            case .success:
                completion(.success(new))
            case .failure(let error):
                guard let failed = error.failedCondition else { return completion(.failure(FlagStoreError(error))) }
                guard remaining > 1 else { return completion(.failure(.conflict(name: change.name))) }
                self.attempt(change, on: failed.existing, remaining: remaining - 1, completion: completion)
            }
        }
    }

    /// Refuses a segment whose condition names what does not exist, or leads back to it. Blocks.
    func checkReferences(of record: SegmentRecord) throws(FlagStoreError) {
        let references = (try? record.parsedCondition())??.references ?? []
        let issues = try segmentCheck(in: record.environment).issues(of: record.name, references)
        guard issues.isEmpty else { throw .invalid(issues) }
    }
}

/// A change of what a segment says that is under way.
private struct SegmentUpdate: Sendable {
    let name: String
    let environment: Environment
    let expected: Int64?
    let principal: Principal
    let now: Timestamp
    let draft: @Sendable (SegmentRecord) throws(FlagStoreError) -> SegmentDraft

    /// The segment as it is and as it would be.
    func applied(to item: Item?) throws(FlagStoreError) -> (old: SegmentRecord, new: SegmentRecord) {
        guard let item else { throw .notFound("segment \(name)") }
        let old = SegmentRecord(repairing: item, environment: environment, name: name, at: now)
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
