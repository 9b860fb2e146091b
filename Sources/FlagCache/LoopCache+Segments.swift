import Bytes
import FlagCore

/// What the cache says of a segment.
package enum SegmentLookup {
    /// The segment.
    case found(CompiledSegment)
    /// There is no such segment, or the store does not answer and nothing is known.
    case absent
    /// It must be waited for: `LoopCache.load` with `CacheKey.segments`.
    case missing
}

extension LoopCache {
    /// Looks a segment up by its name. O(log segments); allocates nothing for one that has been asked for before.
    package func segment(
        _ environment: Environment, name: UnsafeRawBufferPointer, now: Int64
    ) -> SegmentLookup {
        guard let isCompiled = segments[environment.index]?.isCompiled(name) else {
            let isKnown = segments[environment.index] != nil || now < segmentsRetryAt[environment.index]
            return isKnown ? .absent : .missing
        }
        if !isCompiled, slice.isOver(in: now) { return .missing }
        return segments[environment.index]?.compiled(name).map { .found($0) } ?? .absent
    }

    /// A hash of all segments of an environment with their keys: equal on every loop and in every process that knows
    /// the same, part of the bulk answer's `ETag`. O(1), except after changes: what they changed is compiled, as far as
    /// the turn's slice allows.
    ///
    /// - Returns: nil when it must be waited for: `LoopCache.load` with `CacheKey.segments`.
    package func segmentsFingerprint(_ environment: Environment, now: Int64) -> UInt64? {
        guard let isCompiled = segments[environment.index]?.compile(until: { slice.isOver(in: now) }) else {
            return now < segmentsRetryAt[environment.index] ? 0 : nil
        }
        return isCompiled ? segments[environment.index]?.fingerprint : nil
    }

    /// Whether the condition of any segment of an environment reads the clock. Of segments that have a fingerprint.
    /// O(1), except after a change.
    package func segmentsReadTimestamp(_ environment: Environment) -> Bool {
        segments[environment.index]?.readsTimestamp() ?? false
    }
}

/// The segments of one environment for one loop, compiled when they are first asked for. Confined to the loop.
struct LoopSegments {
    private struct Entry {
        var text: DecodedSegment
        var compiled: CompiledSegment?
        /// Whether there is nothing to be compiled, or no more.
        var isCompiled: Bool { compiled != nil || text.head == nil }
    }

    /// A hash of all of them, whatever their order.
    private(set) var fingerprint: UInt64
    private var entries: HashedMap<Entry>
    private let fractional: FractionalVersion
    /// Every entry before this place is compiled.
    private var uncompiledFrom = 0
    /// Whether any condition reads the clock; nil when that must be looked at.
    private var knownToReadTimestamp: Bool?

    init(_ text: DecodedSegments, fractional: FractionalVersion, hash: ByteHash) {
        self.fractional = fractional
        fingerprint = text.byName.values.reduce(0) { $0 &+ $1.fingerprint }
        entries = HashedMap(text.byName.lazy.map { ($0.key, Entry(text: $0.value)) }, hash: hash)
    }

    /// Whether a segment is compiled; nil when there is none.
    func isCompiled(_ name: UnsafeRawBufferPointer) -> Bool? {
        entries.index(of: name).map { entries.values[$0].isCompiled }
    }

    /// A segment, compiled; nil when there is none.
    mutating func compiled(_ name: UnsafeRawBufferPointer) -> CompiledSegment? {
        entries.index(of: name).flatMap { compiled(at: $0) }
    }

    private mutating func compiled(at index: Int) -> CompiledSegment? {
        let entry = entries.values[index]
        if entry.isCompiled { return entry.compiled }
        let compiled = entry.text.compiled(fractional: fractional)
        entries.set(Entry(text: entry.text, compiled: compiled), at: index)
        return compiled
    }

    /// Compiles what has not been compiled since it changed, segment by segment, until there is no more time for it.
    ///
    /// - Parameter isOver: whether there is no more time; asked before each segment.
    /// - Returns: whether nothing is left. O(1) when nothing was.
    mutating func compile(until isOver: () -> Bool) -> Bool {
        while uncompiledFrom < entries.count {
            if !entries.values[uncompiledFrom].isCompiled {
                if isOver() { return false }
                _ = compiled(at: uncompiledFrom)
            }
            uncompiledFrom += 1
        }
        return true
    }

    /// Puts a segment in the place of what was known of it, or forgets it. What has been compiled of a condition that
    /// is the same goes on.
    mutating func set(_ text: DecodedSegment?, for name: [UInt8]) {
        knownToReadTimestamp = nil
        uncompiledFrom = 0
        name.withUnsafeBytes { name in
            let old = entries.index(of: name).map { entries.values[$0] }
            fingerprint = fingerprint &- (old?.text.fingerprint ?? 0) &+ (text?.fingerprint ?? 0)
            guard let text else { return entries.remove(name) }
            var compiled: CompiledSegment?
            if let old, old.text.head == text.head {
                compiled = old.compiled
                compiled?.keys = LoopSegmentKeys(text.keys)
            }
            entries.set(Entry(text: text, compiled: compiled), for: name)
        }
    }

    /// Whether any condition reads the clock. Of segments that are compiled.
    mutating func readsTimestamp() -> Bool {
        if let knownToReadTimestamp { return knownToReadTimestamp }
        let reads = entries.values.contains { $0.compiled?.readsTimestamp ?? false }
        knownToReadTimestamp = reads
        return reads
    }
}
