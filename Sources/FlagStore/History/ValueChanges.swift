import FlagCore
import JSON

/// What differs between two JSON values, told by what was there before and what came after, and bounded in its bytes.
///
/// Objects are compared member by member at every depth, anything else as a whole, as in a merge patch (RFC 7396). What
/// is too large is looked into: the members that differ stand for it, or the elements. What is too large then is told
/// by its size, and what there is no room left for is counted.
struct ValueChanges {
    /// The changes: `pointer`, and `before`, `after` or, in the place of one that is too large, `beforeBytes`,
    /// `afterBytes` (of its JSON text). What was not there before has no `before`, what is gone no `after`.
    private(set) var list: [JSONValue] = []
    /// How many more there are.
    private(set) var omitted = 0
    /// Bytes that may still be told.
    private var room: Int

    /// How many levels of what is too large are looked into: further down nobody would find their way.
    private static let depthMaximum = 16
    /// What a change takes besides its pointer and values.
    private static let changeBytes = 32

    /// The changes from one value to another; nil where there is none. O(both), times the depth of what is too large.
    init(from before: JSONValue?, to after: JSONValue?, bytes: Int = FlagLimits.historyEntryBytes) {
        room = bytes
        compare(before, after, at: JSONPointer(), 0)
    }

    private mutating func compare(
        _ before: JSONValue?, _ after: JSONValue?, at pointer: JSONPointer, _ depth: Int
    ) {
        if case .object(let old)? = before, case .object(let new)? = after {
            compareMembers(old, new, at: pointer, depth)
        } else if before != after {
            tell(before, after, at: pointer, depth)
        }
    }

    private mutating func compareMembers(
        _ old: JSONObject, _ new: JSONObject, at pointer: JSONPointer, _ depth: Int
    ) {
        for (name, value) in old.members { compare(value, new[name], at: pointer.appending(name), depth) }
        for (name, value) in new.members where old[name] == nil {
            compare(nil, value, at: pointer.appending(name), depth)
        }
    }

    private mutating func tell(_ before: JSONValue?, _ after: JSONValue?, at pointer: JSONPointer, _ depth: Int) {
        let place = pointer.description
        let bytes = place.utf8.count + Self.changeBytes
        guard bytes <= room else {
            omitted += 1
            return
        }
        let (old, new) = (before?.serializedBytes().count, after?.serializedBytes().count)
        let isTooLarge = !isRoom(for: (old ?? 0) + (new ?? 0), besides: bytes)
        if isTooLarge, depth < Self.depthMaximum, lookInto(before, after, at: pointer, depth + 1) { return }
        room -= bytes
        var change = JSONObject()
        change["pointer"] = .string(place)
        for (name, value, size) in [("before", before, old), ("after", after, new)] {
            guard let value, let size else { continue }
            if !isTooLarge || isRoom(for: size, besides: 0) {
                change[name] = value
                room -= size
            } else {
                change["\(name)Bytes"] = .integer(size)
            }
        }
        list.append(.object(change))
    }

    /// Whether so many bytes of values may be told: no value takes all the room, since small ones may follow that
    /// matter as much.
    private func isRoom(for size: Int, besides bytes: Int) -> Bool { size <= (room - bytes) / 4 * 3 }

    // MARK: - What is too large

    /// Tells the parts of two values that differ.
    ///
    /// - Returns: whether these stand for all that differs: not where nothing says which part was which.
    private mutating func lookInto(
        _ before: JSONValue?, _ after: JSONValue?, at pointer: JSONPointer, _ depth: Int
    ) -> Bool {
        switch (before, after) {
        case (.object(let old)?, nil): compareMembers(old, JSONObject(), at: pointer, depth)
        case (nil, .object(let new)?): compareMembers(JSONObject(), new, at: pointer, depth)
        case (.array(let old)?, .array(let new)?):
            let start = zip(old, new).prefix { $0 == $1 }.count
            let (oldRest, newRest) = (old.dropFirst(start), new.dropFirst(start))
            let end = zip(oldRest.reversed(), newRest.reversed()).prefix { $0 == $1 }.count
            let (removed, added) = (oldRest.dropLast(end), newRest.dropLast(end))
            guard removed.count == added.count || removed.isEmpty || added.isEmpty else { return false }
            compareElements(removed, added, at: pointer, depth)
        default: return false
        }
        return true
    }

    /// Compares elements one by one; their indexes are those of the arrays that they are of.
    private mutating func compareElements(
        _ old: ArraySlice<JSONValue>, _ new: ArraySlice<JSONValue>, at pointer: JSONPointer, _ depth: Int
    ) {
        for offset in 0..<max(old.count, new.count) {
            let (before, after) = (old.dropFirst(offset).first, new.dropFirst(offset).first)
            let index = before == nil ? new.startIndex + offset : old.startIndex + offset
            compare(before, after, at: pointer.appending(index), depth)
        }
    }
}
