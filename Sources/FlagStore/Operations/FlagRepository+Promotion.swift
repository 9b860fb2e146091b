import Access
import Bytes
import DynamoModel
import FlagCore
import JSON

extension FlagRepository {
    /// Has a flag be in an environment what it is in another. Blocks until all of it is durable.
    ///
    /// Segments come first, those before the others that these name, and the flag last: when it is stopped in between,
    /// nothing names what is not there, and doing the same again does the rest.
    ///
    /// - Throws: `invalid` with everything that the flag needs and that is not there; `flagArchived`,
    ///   `versionMismatch`, `conflict`, `unavailable`.
    func promote(
        _ key: String, _ promotion: FlagPromotion, in scope: WriteScope, expecting expected: Int64?
    ) throws(FlagStoreError) -> FlagPromotion.Effect {
        let result = try plan(key, promotion, in: scope, expecting: expected)
        guard !promotion.isDryRun else { return result }
        for segment in result.segments where !segment.isNone { try write(segment, promotion, in: scope) }
        guard !result.change.isNone else { return result }
        let draft = FlagDraft(result.flag)
        let flag = try Self.waiting { completion in
            if result.change.isNew {
                create(draft, in: scope, completion: completion)
            } else {
                replace(with: draft, in: scope, expecting: expected, completion: completion)
            }
        }
        return FlagPromotion.Effect(
            promotion: promotion, flag: flag, change: result.change, segments: result.segments)
    }

    /// What a promotion would change. Blocks; O(flag, segments that it names and their keys).
    func plan(
        _ key: String, _ promotion: FlagPromotion, in scope: WriteScope, expecting expected: Int64?
    ) throws(FlagStoreError) -> FlagPromotion.Effect {
        precondition(scope.environment == promotion.target, "a promotion changes its target")
        let source = try promoted(key, from: promotion.source)
        let names = try segmentsNamed(by: source.rule, in: promotion.source)
        var draft = FlagDraft(source)
        draft.isArchived = false
        let isNew = try item(.flag(promotion.target, key: key)) == nil
        let flag: FlagRecord
        var old: JSONObject?
        if isNew {
            if let expected { throw .versionMismatch(of: .flag(key), expected: expected, current: 0) }
            flag = draft.record(
                in: promotion.target, createdAt: scope.instant, updatedAt: scope.instant, version: 1)
        } else {
            old = try self.flag(key, in: promotion.target).content
            let change = flagChange(key, in: scope, expecting: expected) { [draft] _ in draft }
            flag = try outcome(of: change) { _ in }.new
        }
        try checkRequirements(of: flag)
        var segments: [FlagPromotion.SegmentChange] = []
        for name in names { segments.append(try segmentChange(name, promotion)) }
        let difference = ContentDifference(from: old, to: flag.content)
        return FlagPromotion.Effect(
            promotion: promotion, flag: flag, change: FlagPromotion.Change(isNew: isNew, difference: difference),
            segments: segments)
    }

    /// The flag where it is taken from.
    private func promoted(_ key: String, from source: Environment) throws(FlagStoreError) -> FlagRecord {
        guard let item = try item(.flag(source, key: key)), !FlagRecord.isArchived(item) else {
            throw .nothingToPromote(flagKey: key, from: source)
        }
        do throws(DefinitionIssues) {
            let record = try FlagRecord(item: item)
            _ = try record.rule.definition()
            return record
        } catch {
            throw .invalid(error.issues)
        }
    }

    /// Refuses a flag that would require what is not in its environment, or lose variants that others require there.
    private func checkRequirements(of flag: FlagRecord) throws(FlagStoreError) {
        var issues = try requirementIssues(of: flag)
        if let stored = try item(.flag(flag.environment, key: flag.key)).flatMap({ FlagRule($0) }) {
            issues += try lostVariants(of: flag, replacing: stored)
        }
        guard issues.isEmpty else { throw .invalid(issues) }
    }

    // MARK: - Segments

    /// The segments that a rule names, and those that these name, each behind those that it names itself.
    ///
    /// - Throws: `invalid` where one of them is not there.
    private func segmentsNamed(
        by rule: FlagRule, in environment: Environment
    ) throws(FlagStoreError) -> [String] {
        var order: [String] = []
        var seen: Set<ExactText> = []
        var issues: [DefinitionIssue] = []
        let check = segmentCheck(in: environment)
        func visit(_ reference: SegmentReference) throws(FlagStoreError) {
            guard seen.insert(ExactText(reference.name)).inserted else { return }
            guard let others = try check.references(reference.name) else {
                let message = "there is no segment \(reference.name) in \(environment.rawValue)"
                issues.append(DefinitionIssue(pointer: reference.pointer, message: message))
                return
            }
            for other in others { try visit(other) }
            order.append(reference.name)
        }
        for reference in rule.segmentReferences() { try visit(reference) }
        guard issues.isEmpty else { throw .invalid(issues) }
        return order
    }

    private func segmentChange(
        _ name: String, _ promotion: FlagPromotion
    ) throws(FlagStoreError) -> FlagPromotion.SegmentChange {
        let source = try segment(name, in: promotion.source)
        let old = try item(.segment(promotion.target, name: name)).map { _ throws(FlagStoreError) in
            try segment(name, in: promotion.target)
        }
        let before = try allKeys(ofSegment: name, in: promotion.target)
        let after = try allKeys(ofSegment: name, in: promotion.source)
        let (known, wanted) = (Set(before.map { ExactText($0) }), Set(after.map { ExactText($0) }))
        return FlagPromotion.SegmentChange(
            name: name,
            change: FlagPromotion.Change(
                isNew: old == nil, difference: ContentDifference(from: old?.content, to: source.content)),
            added: FlagPromotion.KeyCount(after.filter { !known.contains(ExactText($0)) }),
            removed: FlagPromotion.KeyCount(before.filter { !wanted.contains(ExactText($0)) }))
    }

    private func write(
        _ segment: FlagPromotion.SegmentChange, _ promotion: FlagPromotion, in scope: WriteScope
    ) throws(FlagStoreError) {
        let source = try self.segment(segment.name, in: promotion.source)
        let draft = SegmentDraft(source)
        if segment.change.isNew {
            _ = try Self.waiting { createSegment(draft, in: scope, completion: $0) }
        } else if !segment.change.isNone {
            _ = try Self.waiting { replaceSegment(with: draft, in: scope, completion: $0) }
        }
        guard segment.added.count > 0 || segment.removed.count > 0 else { return }
        let keys = try allKeys(ofSegment: segment.name, in: promotion.source)
        _ = try replaceKeys(ofSegment: segment.name, by: keys, in: scope)
    }
}
