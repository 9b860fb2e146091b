import JSON

/// The keys that are listed in a segment, as an evaluation asks for them.
package protocol SegmentKeys: AnyObject {
    /// Whether a key is listed. In constant time, without allocating.
    func contains(_ key: UnsafeRawBufferPointer) -> Bool
}

/// A segment ready to be asked: its condition compiled, its keys wherever they are kept.
///
/// Belongs to one thread (one event loop), like the flags that name it.
package final class CompiledSegment {
    /// The condition; nil when there is none.
    let rule: Rule?
    /// The listed keys; nil when there are none.
    package var keys: (any SegmentKeys)?

    /// Whether the condition reads `$flagd.timestamp`, so that the answer depends on the clock.
    package var readsTimestamp: Bool { rule?.readsTimestamp ?? false }

    /// Compiles a segment.
    ///
    /// - Parameters:
    ///   - name: its name, which is also what `fractional` mixes into its hashes in place of a flag's key: who is in
    ///     does not depend on the flag that asks.
    ///   - condition: the rule; one that cannot be read holds for nobody.
    package init(
        name: String, condition: SegmentCondition?, keys: (any SegmentKeys)?, fractional: FractionalVersion
    ) {
        rule = condition.flatMap { Rule($0.json, flagKey: name, fractional: fractional, member: "condition") }
        self.keys = keys
    }
}
