import Bytes
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// A segment in an import: what it says, and what becomes of its keys.
package struct SegmentContent: Sendable {
    /// The segment.
    package let record: SegmentRecord
    /// Keys that will be listed and are not yet.
    var addedKeys: [String] = []
    /// Keys that are listed and will not be.
    var removedKeys: [String] = []
    /// What must hold of its item when it is written.
    var condition = Condition.attributeNotExists(DocumentPath(Attribute.partition))

    /// The operations that make it so, first the one of the segment itself.
    func writes(to repository: FlagRepository) -> [(name: String, operation: WriteOperation)] {
        let key = { ItemKey.segmentKey(record.environment, name: record.name, key: $0) }
        let operations =
            [repository.put(record.item, if: condition)] + addedKeys.map { repository.put(key($0).item) }
            + removedKeys.map { repository.delete(key($0)) }
        return operations.map { (record.name, $0) }
    }
}

extension ImportPlanner {
    /// What becomes of segments; nil when the file does not speak of them.
    mutating func planSegments() throws(FlagStoreError) -> ImportPlan.Difference<SegmentContent>? {
        guard let drafts = document.segments else { return nil }
        var difference = ImportPlan.Difference<SegmentContent>()
        for (index, draft) in drafts.enumerated() {
            try progress.check()
            let place = JSONPointer().appending("segments").appending(index)
            checkEnvironment(draft.environment, at: place)
            let item = try stored.segmentItem(draft.name)
            guard let item else {
                let createdAt = draft.createdAt ?? now
                let record = draft.record(
                    in: environment, createdAt: createdAt, updatedAt: max(draft.updatedAt ?? now, createdAt),
                    version: draft.version ?? 1)
                note(record, at: place)
                difference.created.append(SegmentContent(record: record, addedKeys: draft.keys ?? []))
                continue
            }
            let reading = SegmentRecord.reading(item, environment: environment, name: draft.name, at: now)
            let old = reading.record
            let new = draft.record(
                in: environment, createdAt: old.createdAt, updatedAt: max(now, old.updatedAt),
                version: RecordVersion.next(after: old.version))
            var content = SegmentContent(record: new, condition: .isAtVersion(of: item))
            try compareKeys(draft, &content)
            var members = reading.membersThatDiffer(old.membersThatDiffer(from: new))
            if !content.addedKeys.isEmpty || !content.removedKeys.isEmpty { members.append("keys") }
            if members.isEmpty {
                difference.unchanged += 1
            } else if mode == .createOnly {
                difference.skipped += 1
            } else {
                note(new, at: place)
                difference.changed.append(
                    ImportPlan.Change(old: SegmentContent(record: old), new: content, members: members))
            }
        }
        if mode == .replace { difference.removed = try segmentsThatAreNotInFile(drafts) }
        try checkSegments(of: difference)
        return difference
    }

    private func compareKeys(_ draft: SegmentDraft, _ content: inout SegmentContent) throws(FlagStoreError) {
        guard let keys = draft.keys else { return }
        var known: Set<ExactText> = []
        let wanted = Set(keys.map { ExactText($0) })
        for key in try stored.allKeys(ofSegment: draft.name) {
            let key = ExactText(key)
            if wanted.contains(key) { known.insert(key) } else { content.removedKeys.append(key.text) }
        }
        content.addedKeys = keys.filter { !known.contains(ExactText($0)) }
    }

    private mutating func segmentsThatAreNotInFile(
        _ drafts: [SegmentDraft]
    ) throws(FlagStoreError) -> [SegmentContent] {
        let names = Set(drafts.map { ExactText($0.name) })
        var removed: [SegmentContent] = []
        try stored.forEachSegment { record in
            if !names.contains(ExactText(record.name)) { removed.append(SegmentContent(record: record)) }
        }
        for segment in removed { segments[ExactText(segment.record.name)] = .some(nil) }
        removesSegments = !removed.isEmpty
        return removed
    }

    // MARK: - Checks

    private mutating func note(_ record: SegmentRecord, at place: JSONPointer) {
        segments[ExactText(record.name)] = (try? record.parsedCondition(at: place))??.references ?? []
        for issue in record.sizeIssues { report(place, issue.message) }
    }

    /// A check against what will be there after the import.
    private var segmentCheck: SegmentCheck {
        SegmentCheck { [segments, stored = stored.segmentCheck] name throws(FlagStoreError) in
            if let references = segments[ExactText(name)] { return references }
            return try stored.references(name)
        }
    }

    /// Checks what the conditions of written segments name.
    private mutating func checkSegments(
        of difference: ImportPlan.Difference<SegmentContent>
    ) throws(FlagStoreError) {
        let check = segmentCheck
        let written = difference.created.map(\.record) + difference.changed.map(\.new.record)
        let places = Dictionary((document.segments ?? []).enumerated().map { (ExactText($1.name), $0) }) { $1 }
        for record in written {
            let place = JSONPointer().appending("segments").appending(places[ExactText(record.name)] ?? 0)
            let references = (try? record.parsedCondition(at: place))??.references ?? []
            issues += try check.issues(of: record.name, references)
        }
    }

    /// Checks the segments that the rules of flags name: of those that are written, and of all in the file when
    /// segments will be gone.
    mutating func checkSegments(of flags: ImportPlan.Difference<FlagRecord>) throws(FlagStoreError) {
        let check = segmentCheck
        let written = Set((flags.created + flags.changed.map(\.new)).map { ExactText($0.key) })
        for (index, flag) in document.flags.enumerated()
        where removesSegments || written.contains(ExactText(flag.draft.key)) {
            let place = JSONPointer().appending("flags").appending(index)
            issues += try check.issues(of: flag.draft.rule.segmentReferences(at: place))
        }
    }
}
