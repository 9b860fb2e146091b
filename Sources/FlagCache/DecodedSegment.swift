import Bytes
import FlagCore
import JSON

/// A segment as loops hand it around: its condition as text, its keys. Made once and never changed.
package final class DecodedSegment: Sendable {
    /// The segment's name.
    package let name: [UInt8]
    /// What the segment says beside its keys; nil as long as somebody has only listed keys, and there is no segment.
    package let head: SegmentHead?
    /// The listed keys.
    package let keys: SegmentKeySet
    /// A hash of name, condition and keys, equal in every process; 0 when there is no segment.
    let fingerprint: UInt64

    /// A segment of this name; without a head there is none, and somebody has only listed keys.
    package init(name: [UInt8], head: SegmentHead?, keys: SegmentKeySet) {
        self.name = name
        self.head = head
        self.keys = keys
        guard let head else {
            fingerprint = 0
            return
        }
        let names = name.withUnsafeBytes { ByteHash.fingerprint($0, salt: 9) }
        let condition = ByteHash.fingerprint(head.condition?.serialized() ?? "", salt: 10)
        fingerprint = ByteHash.mix(ByteHash.mix(names, condition), keys.fingerprint)
    }

    /// Compiles the condition for one loop.
    func compiled(fractional: FractionalVersion) -> CompiledSegment {
        let condition = head?.condition.flatMap { json in
            try? SegmentCondition(validating: json, at: JSONPointer().appending("condition"))
        }
        return CompiledSegment(
            name: String(decoding: name, as: UTF8.self), condition: condition, keys: LoopSegmentKeys(keys),
            fractional: fractional)
    }

    /// The segment after a change; nil when nothing is left of it.
    func changed(by change: SegmentChange) -> DecodedSegment? {
        var head = head
        switch change.head {
        case .unchanged: break
        case .removed: head = nil
        case .valid(let new): head = new
        // The last valid form stays in force.
        case .invalid(let before): head = head ?? before ?? SegmentHead(condition: nil)
        }
        let keys = keys.changed(by: change.keys)
        return head == nil && keys.count == 0 ? nil : DecodedSegment(name: name, head: head, keys: keys)
    }
}

/// What a segment says beside its keys, as far as evaluation needs it.
package struct SegmentHead: Sendable, Equatable {
    /// The condition, checked; nil when there is none.
    package let condition: JSONValue?

    /// Takes the parts as they are.
    package init(condition: JSONValue?) {
        self.condition = condition
    }
}

/// What some commits changed of one segment.
package struct SegmentChange: Sendable {
    /// What became of the segment itself.
    package enum Head: Sendable {
        /// It is as it was.
        case unchanged
        /// It is gone.
        case removed
        /// It is this now.
        case valid(SegmentHead)
        /// The item is not valid any more; what it was before, if that was.
        case invalid(before: SegmentHead?)
    }

    /// What became of the segment itself.
    var head = Head.unchanged
    /// What became of its keys.
    package var keys = SegmentKeyChanges()

    /// Takes the parts as they are.
    package init(head: Head = Head.unchanged, keys: SegmentKeyChanges = SegmentKeyChanges()) {
        self.head = head
        self.keys = keys
    }

    /// Adds a change that came after these.
    package mutating func append(_ later: SegmentChange) {
        switch (head, later.head) {
        case (_, .unchanged): break
        case (.valid(let valid), .invalid): head = .valid(valid)
        case (.removed, .invalid): head = .valid(SegmentHead(condition: nil))
        case (_, let new): head = new
        }
        keys.append(later.keys)
    }
}

/// The segments of an environment as they travel to the loops.
package struct DecodedSegments: Sendable {
    /// The segments by their names.
    package private(set) var byName: [[UInt8]: DecodedSegment] = [:]

    /// No segments.
    package init() {}

    /// Changes one segment.
    ///
    /// - Returns: the segment as it is now, nil when nothing is left of it; and whether it was known before.
    package mutating func apply(_ change: SegmentChange, to name: [UInt8]) -> (text: DecodedSegment?, wasKnown: Bool) {
        let old = byName[name]
        let new = (old ?? DecodedSegment(name: name, head: nil, keys: .empty)).changed(by: change)
        byName[name] = new
        return (new, old != nil)
    }

    /// Puts one segment in the place of what was known of it.
    package mutating func set(_ text: DecodedSegment?, for name: [UInt8]) { byName[name] = text }
}

/// The keys of a segment for one loop: its own reference to the shared set.
package final class LoopSegmentKeys: SegmentKeys {
    private let set: SegmentKeySet
    private let slots: SegmentKeySet.Slots

    /// nil when no key is listed.
    init?(_ set: SegmentKeySet) {
        guard set.count > 0 else { return nil }
        self.set = set
        slots = set.slots
    }

    /// The same for a list; nil for an empty one.
    package convenience init?(listing keys: [String]) {
        var changes = SegmentKeyChanges()
        for key in keys { changes.set(Array(key.utf8), isListed: true) }
        self.init(SegmentKeySet.empty.changed(by: changes))
    }

    package func contains(_ key: UnsafeRawBufferPointer) -> Bool { slots.contains(SegmentKeySet.mark(key)) }
}
