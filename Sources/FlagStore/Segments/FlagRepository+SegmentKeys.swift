import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension FlagRepository {
    /// How often a change without an expected version is tried again when others change the same segment meanwhile.
    private static let keyAttempts = 16

    /// Lists keys in a segment, or takes them out. Blocks until all of it is durable: not for the table's writer queue.
    ///
    /// The first transaction raises the segment's version; the others come after it, many at a time, up to 98 keys
    /// each. Each is all or nothing; all together are not: after a failure, doing the same again does the rest.
    ///
    /// - Parameters:
    ///   - edit: the keys. One that is listed already, or not listed, is no error.
    ///   - listed: the keys that are listed, as far as is known, to see whether they would become too many.
    ///   - expected: the version that the segment must have, nil for whichever it has.
    /// - Returns: the segment as it is then.
    /// - Throws: `notFound`, `versionMismatch`, `invalid` (too many keys), `conflict`, `unavailable`.
    func editKeys(
        ofSegment name: String, _ edit: SegmentKeyEdit, listed: SegmentKeySet, in scope: WriteScope,
        expecting expected: Int64? = nil
    ) throws(FlagStoreError) -> SegmentRecord {
        try checkLimit(edit, listed)
        let key = { ItemKey.segmentKey(scope.environment, name: name, key: $0) }
        let added = edit.add.lazy.map { (name, self.put(key($0).item)) }
        let removed = edit.remove.lazy.map { (name, self.delete(key($0))) }
        var operations = Array(added) + Array(removed)
        // Side by side in the table is side by side on the disk.
        let first = operations.prefix(FlagLimits.operationsPerTransaction - 1).map(\.1)
        operations.removeFirst(first.count)
        let record = try raiseVersion(of: name, with: first, in: scope, expected)
        let exists = WriteOperation.check(
            table: table, key: record.itemKey.tableKey, condition: .exists)
        try BulkWriter(repository: self, scope: scope)
            .write(operations, check: (name, exists))
        return record
    }

    /// Has a segment list these keys and no others. Blocks; O(keys listed before and after). The rest is as `editKeys`.
    func replaceKeys(
        ofSegment name: String, by keys: [String], in scope: WriteScope, expecting expected: Int64? = nil
    ) throws(FlagStoreError) -> SegmentRecord {
        let wanted = Set(keys.map { ExactText($0) })
        var known: Set<ExactText> = []
        var obsolete: [String] = []
        for key in try allKeys(ofSegment: name, in: scope.environment) {
            if wanted.contains(ExactText(key)) { known.insert(ExactText(key)) } else { obsolete.append(key) }
        }
        let edit = SegmentKeyEdit(add: keys.filter { !known.contains(ExactText($0)) }, remove: obsolete)
        return try editKeys(
            ofSegment: name, edit, listed: .empty, in: scope, expecting: expected)
    }

    /// Refuses keys that would make too many.
    func checkLimit(_ edit: SegmentKeyEdit, _ listed: SegmentKeySet) throws(FlagStoreError) {
        // The exact number matters only near the limit.
        guard listed.count + edit.add.count > FlagLimits.segmentKeys else { return }
        let count = edit.count(after: listed)
        guard count > FlagLimits.segmentKeys else { return }
        let message =
            "would make it \(count) keys: at most \(FlagLimits.segmentKeys) are allowed; a condition has no such limit"
        throw .invalid([DefinitionIssue(pointer: "/add", message: message)])
    }

    /// Raises the version of a segment, together with other operations. Blocks.
    private func raiseVersion(
        of name: String, with operations: [WriteOperation], in scope: WriteScope, _ expected: Int64?
    ) throws(FlagStoreError) -> SegmentRecord {
        for _ in 0..<FlagRepository.keyAttempts {
            let (new, old) = try raised(name, in: scope, expected)
            let update = WriteOperation.update(
                table: table, key: new.itemKey.tableKey,
                actions: [
                    .set(DocumentPath(Attribute.version), .value(.number(new.version))),
                    .set(DocumentPath(Attribute.updatedAt), .value(.string(new.updatedAt.rfc3339))),
                ],
                condition: .isAtVersion(of: old))
            guard let error = transact([update] + operations, in: scope) else { return new }
            guard error.failedCondition != nil else { throw FlagStoreError(error) }
        }
        throw .conflict(name: name)
    }

    /// A segment at its next version, and its item as it is. Blocks.
    func raised(
        _ name: String, in scope: WriteScope, _ expected: Int64?
    ) throws(FlagStoreError) -> (new: SegmentRecord, old: Item) {
        guard let item = try item(.segment(scope.environment, name: name)) else { throw .notFound(.segment(name)) }
        let old = SegmentRecord.reading(item, environment: scope.environment, name: name, at: scope.instant).record
        if let expected, expected != old.version {
            throw .versionMismatch(of: .segment(name), expected: expected, current: old.version)
        }
        var new = old
        new.version = RecordVersion.next(after: old.version)
        new.updatedAt = max(scope.instant, old.updatedAt)
        return (new, item)
    }

    /// Does the operations and waits until they are durable.
    ///
    /// - Returns: why they were not done; nil when they were.
    private func transact(
        _ operations: [WriteOperation], in scope: WriteScope
    ) -> TableError? {
        let done = DispatchSemaphore(value: 0)
        let failure = Locked<TableError?>(nil)
        write(operations, in: scope) { result in
            if case .failure(let error) = result { failure.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        return failure.withLock { $0 }
    }

    /// Deletes a segment with all its keys, unless flags or other segments name it. Blocks; O(keys), and what `uses`
    /// takes. The keys go first: what is left after a failure is a segment that nobody uses.
    ///
    /// - Parameter expected: the version that the segment must have, nil for whichever it has.
    /// - Throws: `notFound`, `versionMismatch`, `segmentUsed`, `unavailable`.
    func deleteSegment(
        _ name: String, in scope: WriteScope, expecting expected: Int64? = nil
    ) throws(FlagStoreError) {
        try requireNoUses(ofSegment: name, in: scope.environment)
        try removeSegment(name, in: scope, expecting: expected)
    }

    /// Refuses a segment that flags or other segments name. Blocks.
    func requireNoUses(ofSegment name: String, in environment: Environment) throws(FlagStoreError) {
        let uses = try uses(ofSegment: name, in: environment)
        guard uses.isEmpty else { throw .segmentUsed(name: name, by: uses) }
    }

    /// The same without looking for uses. It may be stopped while keys are left, and the segment with them.
    package func removeSegment(
        _ name: String, in scope: WriteScope, expecting expected: Int64?,
        _ progress: WorkProgress = WorkProgress()
    ) throws(FlagStoreError) {
        try progress.check()
        let key = ItemKey.segment(scope.environment, name: name)
        guard let item = try item(key) else { throw .notFound(.segment(name)) }
        let version = RecordVersion.of(item)
        if let expected, expected != version {
            throw .versionMismatch(of: .segment(name), expected: expected, current: version)
        }
        func removeKeys(_ progress: WorkProgress) throws(FlagStoreError) {
            let keys = try allKeys(ofSegment: name, in: scope.environment)
            progress.expect(keys.count)
            try BulkWriter(repository: self, scope: scope, progress: progress)
                .write(keys.lazy.map { (name, self.delete(.segmentKey(scope.environment, name: name, key: $0))) })
        }
        try removeKeys(progress)
        let condition = expected == nil ? Condition.exists : .isAtVersion(of: item)
        if let error = transact([delete(key, if: condition)], in: scope) {
            guard let failed = error.failedCondition else { throw FlagStoreError(error) }
            guard let existing = failed.existing, let expected else { throw .notFound(.segment(name)) }
            throw .versionMismatch(of: .segment(name), expected: expected, current: RecordVersion.of(existing))
        }
        // Keys that were listed between the reading and the deleting would belong to the next segment of the name:
        // nothing stops their removal.
        try removeKeys(WorkProgress())
    }
}

extension ItemKey {
    /// An item that is nothing but its key.
    package var item: Item { [Attribute.partition: .string(partition), Attribute.sort: .string(sort)] }
}

extension SegmentKeyEdit {
    /// How many keys are listed once it is done. O(keys of the edit).
    func count(after listed: SegmentKeySet) -> Int {
        let added = Set(add.map { ExactText($0) }).count { !$0.text.withBytes(listed.contains) }
        let removed = Set(remove.map { ExactText($0) }).count { $0.text.withBytes(listed.contains) }
        return listed.count + added - removed
    }
}
