import FlagCore
import JSON

/// That a flag is to be in one environment what it is in another: its definition with the segments that it names, not
/// its overrides and kill switches.
package struct FlagPromotion: Sendable {
    /// Where it is taken from.
    package let source: Environment
    /// Where it goes.
    package let target: Environment
    /// Whether the difference is only to be told.
    package let isDryRun: Bool

    /// Reads a body, `{"from": "staging", "to": "production", "dryRun"?: true}`.
    ///
    /// - Throws: everything that is wrong with it.
    init(body: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: body, #"such as {"from": "staging", "to": "production"}"#)
        let source = reader.environment("from")
        let target = reader.environment("to")
        for name in ["from", "to"] where reader.value(name) == nil {
            reader.report(name, "is required: \(Environment.spellings)")
        }
        if let source, source == target { reader.report("to", "is the environment that it is taken from") }
        isDryRun = reader.flag("dryRun") ?? false
        try reader.finish()
        guard let source, let target else { throw DefinitionIssues(issues: reader.issues) }
        self.source = source
        self.target = target
    }
}

extension FlagPromotion {
    /// What a promotion changes.
    package struct Effect: Sendable {
        /// The promotion.
        package let promotion: FlagPromotion
        /// The flag as it is afterwards.
        package let flag: FlagRecord
        /// What becomes of it.
        package let change: Change
        /// What becomes of the segments, in the order in which they are written: those first that others name.
        package let segments: [SegmentChange]
    }

    /// What becomes of a flag or of what a segment says.
    package struct Change: Sendable {
        /// Whether it is new there.
        package let isNew: Bool
        /// From what it is to what it becomes.
        package let difference: ContentDifference

        /// Whether there is something to be written.
        package var isNone: Bool { !isNew && difference.isEmpty }
    }

    /// What becomes of a segment.
    package struct SegmentChange: Sendable {
        /// The segment.
        package let name: String
        /// What becomes of what it says.
        package let change: Change
        /// The keys that it lists and did not.
        package let added: KeyCount
        /// The keys that it listed and does not any more.
        package let removed: KeyCount

        /// Whether it stays as it is.
        package var isNone: Bool { change.isNone && added.count == 0 && removed.count == 0 }
    }

    /// How many keys, and the first of them.
    package struct KeyCount: Sendable {
        /// How many.
        package private(set) var count = 0
        /// The first of them.
        package private(set) var first: [String] = []

        /// Counts keys.
        init(_ keys: some Sequence<String>) {
            for key in keys {
                count += 1
                if first.count < FlagLimits.talliedNames { first.append(key) }
            }
        }
    }
}
