import FlagCore

/// What the cache says of a segment.
package enum SegmentLookup {
    /// The segment.
    case found(CompiledSegment)
    /// There is no such segment, or the store does not answer and nothing is known.
    case absent
    /// The store must be asked: `LoopCache.load` with `CacheKey.segments`.
    case missing
}

extension LoopCache {
    /// Looks a segment up by its name. O(log segments); allocates nothing for one that has been asked for before.
    package func segment(
        _ environment: Environment, name: UnsafeRawBufferPointer, now: Int64
    ) -> SegmentLookup {
        guard segments[environment.index] != nil else {
            return now < segmentsRetryAt[environment.index] ? .absent : .missing
        }
        return segments[environment.index]?.compiled(name).map { .found($0) } ?? .absent
    }

    /// A hash of all segments of an environment with their keys: equal on every loop and in every process that knows
    /// the same, part of the bulk answer's `ETag`. O(1).
    ///
    /// - Returns: nil when the store must be asked: `LoopCache.load` with `CacheKey.segments`.
    package func segmentsFingerprint(_ environment: Environment, now: Int64) -> UInt64? {
        if let segments = segments[environment.index] { return segments.fingerprint }
        return now < segmentsRetryAt[environment.index] ? 0 : nil
    }

    /// Whether the condition of any segment of an environment reads the clock. O(1), except after a change.
    package func segmentsReadTimestamp(_ environment: Environment) -> Bool {
        segments[environment.index]?.readsTimestamp() ?? false
    }
}

/// The segments of one environment for one loop, compiled when they are first asked for. Confined to the loop.
struct LoopSegments {
    private struct Entry {
        var text: SegmentText
        var compiled: CompiledSegment?
    }

    /// A hash of all of them, whatever their order.
    private(set) var fingerprint: UInt64 = 0
    private var entries: HashedMap<Entry>
    private let fractional: FractionalVersion
    /// Whether any condition reads the clock; nil when that must be looked at.
    private var knownToReadTimestamp: Bool?

    init(_ text: SegmentsText, fractional: FractionalVersion, hash: ByteHash) {
        self.fractional = fractional
        entries = HashedMap(hash: hash)
        for segment in text.byName.values { set(segment, for: segment.name) }
    }

    /// A segment, compiled; nil when there is none.
    mutating func compiled(_ name: UnsafeRawBufferPointer) -> CompiledSegment? {
        guard let index = entries.index(of: name) else { return nil }
        let entry = entries.values[index]
        if let compiled = entry.compiled { return compiled }
        guard entry.text.head != nil else { return nil }
        let compiled = entry.text.compiled(fractional: fractional)
        entries.set(Entry(text: entry.text, compiled: compiled), for: name)
        return compiled
    }

    /// Puts a segment in the place of what was known of it, or forgets it. What has been compiled of a condition that
    /// is the same goes on.
    mutating func set(_ text: SegmentText?, for name: [UInt8]) {
        knownToReadTimestamp = nil
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

    /// Whether any condition reads the clock.
    mutating func readsTimestamp() -> Bool {
        if let knownToReadTimestamp { return knownToReadTimestamp }
        var names: [[UInt8]] = []
        entries.forEach { name, _ in names.append(name) }
        let reads = names.contains { name in
            name.withUnsafeBytes { compiled($0)?.readsTimestamp ?? false }
        }
        knownToReadTimestamp = reads
        return reads
    }
}
