import Bytes
import DynamoModel
import FlagCache
import FlagCore
import JSON

/// Checks what rules say of segments before they are written.
package struct SegmentCheck {
    /// The segments that a segment names in its condition; nil when there is no such segment.
    package let references: (String) throws(FlagStoreError) -> [SegmentReference]?

    /// - Parameter references: finds the segments that one names; nil when there is no such segment.
    package init(references: @escaping (String) throws(FlagStoreError) -> [SegmentReference]?) {
        self.references = references
    }

    /// Which of the segments that a rule names do not exist.
    package func issues(of references: [SegmentReference]) throws(FlagStoreError) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        for reference in references where try self.references(reference.name) == nil {
            issues.append(.unknown(reference))
        }
        return issues
    }

    /// What is wrong with the segments that the condition of a segment names: they do not exist, or lead back to it, or
    /// too deep.
    ///
    /// - Parameters:
    ///   - name: the segment.
    ///   - references: what its condition will name.
    package func issues(
        of name: String, _ references: [SegmentReference]
    ) throws(FlagStoreError) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        let graph = ReferenceGraph { name throws(FlagStoreError) in
            try self.references(name)?.map(\.name) ?? []
        }
        // The segment itself is the first of those that follow each other.
        let limit = SegmentReference.depthMaximum - 1
        for reference in references {
            let (circle, length) = try graph.explore(from: reference.name, to: name, limit: limit)
            if let circle {
                let message = "makes a circle: \(([name] + circle).joined(separator: " → "))"
                issues.append(DefinitionIssue(pointer: reference.pointer, message: message))
            } else if try self.references(reference.name) == nil {
                issues.append(.unknown(reference))
            } else if length > limit {
                let message = "leads too deep: segments may name each other \(SegmentReference.depthMaximum) deep"
                issues.append(DefinitionIssue(pointer: reference.pointer, message: message))
            }
        }
        return issues
    }
}

extension DefinitionIssue {
    /// A rule names a segment that does not exist.
    fileprivate static func unknown(_ reference: SegmentReference) -> DefinitionIssue {
        DefinitionIssue(pointer: reference.pointer, message: "there is no segment \(reference.name): create it first")
    }
}

extension FlagRepository {
    /// A check against the segments that are stored.
    func segmentCheck(in environment: Environment) -> SegmentCheck {
        SegmentCheck { name throws(FlagStoreError) in
            guard let item = try item(.segment(environment, name: name)) else { return nil }
            let record = SegmentRecord.reading(
                item, environment: environment, name: name, at: Timestamp(millisecondsSinceEpoch: 0)
            ).record
            return (try? record.parsedCondition())??.references ?? []
        }
    }

    /// The flags and segments of an environment whose rules name a segment. Blocks; O(those, and what was written since
    /// the last look), the first time O(flags and segments of the environment).
    func uses(ofSegment name: String, in environment: Environment) throws(FlagStoreError) -> SegmentUses {
        var uses = SegmentUses()
        func names(_ references: [SegmentReference]) -> Bool {
            references.contains { $0.name.utf8.elementsEqual(name.utf8) }
        }
        for namer in try references.namers(of: .segment(ExactText(name)), in: environment, of: self) {
            switch namer {
            case .flag(let key):
                guard let flag = try item(.flag(environment, key: key.text)).flatMap({ try? FlagRecord(item: $0) }),
                    names(flag.rule.segmentReferences())
                else { continue }
                uses.flags.append(key.text)
            case .segment(let other):
                guard let item = try item(.segment(environment, name: other.text)),
                    let segment = SegmentRecord(item, in: environment),
                    names((try? segment.parsedCondition())??.references ?? [])
                else { continue }
                uses.segments.append(other.text)
            }
        }
        // What is not valid now goes on as it was.
        try forEachLastValidRule(in: environment) { key, rule in
            if names(rule.segmentReferences()), !uses.flags.contains(key) { uses.flags.append(key) }
        }
        try forEachLastValidHead(in: environment) { name, head in
            let condition = head.condition.flatMap { try? SegmentCondition(validating: $0, at: JSONPointer()) }
            if names(condition?.references ?? []), !uses.segments.contains(name) { uses.segments.append(name) }
        }
        uses.flags.sort()
        uses.segments.sort()
        return uses
    }
}

extension FlagRule {
    /// The places of the rule that name a segment; none when it cannot be read. O(rule).
    ///
    /// - Parameter pointer: where the flag stands.
    package func segmentReferences(at pointer: JSONPointer = JSONPointer()) -> [SegmentReference] {
        guard case .full(let text) = spelling, let json = try? JSONValue(parsing: text) else { return [] }
        return FlagDefinition(keeping: json).segmentReferences(at: pointer)
    }
}
