import DynamoModel

/// One stored item as its difference to another one: most changes leave most of an item as it was.
///
/// One format byte, then parts until the end: how many bytes of the other item are passed over from where the part
/// before ended, how many of what follows there are copied, how many bytes of its own come then (all three unsigned
/// LEB128), and those. The first byte tells it from an item.
enum ItemDifference {
    /// The first byte of a difference of this format.
    static let format: UInt8 = 2

    /// A match that is shorter than this costs as much as it saves.
    private static let matchBytesMin = 4

    /// The difference of a stored item to another one; the item itself where that is not longer. O(both items).
    static func encode(_ item: [UInt8], to other: [UInt8]) -> [UInt8] {
        let difference = item.withUnsafeBytes { item in
            other.withUnsafeBytes { other in try? encode(item, to: other) }
        }
        guard let difference, difference.count < item.count else { return item }
        return difference
    }

    /// The item that `bytes` stand for, which are an item or a difference to `other`. O(length).
    ///
    /// - Throws: `ItemCodecError.damaged` when they are not what `encode` writes.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, to other: UnsafeRawBufferPointer?
    ) throws(ItemCodecError) -> [UInt8] {
        guard bytes.first == format else { return [UInt8](bytes) }
        guard let other else { throw .damaged }
        var parts = RecordReader([UInt8](bytes.dropFirst()))
        var item: [UInt8] = []
        item.reserveCapacity(other.count + bytes.count)
        var position = 0
        while !parts.isAtEnd {
            guard let skipped = parts.number(), let copied = parts.number(), let own = parts.content(),
                (0...Int64(other.count - position)).contains(skipped),
                (0...(Int64(other.count - position) - skipped)).contains(copied)
            else { throw .damaged }
            let start = position + Int(skipped)
            position = start + Int(copied)
            item.append(contentsOf: other[start..<position])
            item.append(contentsOf: own)
        }
        return item
    }

    /// Walks through the attributes of both, which are in the same order, and copies what they have in common.
    private static func encode(
        _ item: UnsafeRawBufferPointer, to other: UnsafeRawBufferPointer
    ) throws(ItemCodecError) -> [UInt8] {
        var (ours, theirs) = (AttributeCursor(item), AttributeCursor(other))
        var parts = PartWriter()
        parts.add(item[..<(try ours.passHead())], of: item, like: other[..<(try theirs.passHead())], of: other)
        var our = try ours.next()
        var their = try theirs.next()
        while let attribute = our {
            let order = their.map { compareLexicographically(attribute.name(item), $0.name(other)) } ?? -1
            if order < 0 {
                parts.add(own: item[attribute.range])
            } else if order == 0, let like = their {
                // By themselves: a text of another length begins with another number.
                parts.add(item[attribute.head], of: item, like: other[like.head], of: other)
                parts.add(item[attribute.content], of: item, like: other[like.content], of: other)
            }
            if order <= 0 { our = try ours.next() }
            if order >= 0 { their = try theirs.next() }
        }
        return parts.bytes
    }

    /// Puts parts together: what is copied from one place is one part, however it was found.
    private struct PartWriter {
        private var written: [UInt8] = [format]
        private var end = 0
        private var copied: Range<Int> = 0..<0
        private var own: [UInt8] = []

        /// Everything, with the part under way.
        var bytes: [UInt8] {
            mutating get {
                finishPart()
                return written
            }
        }

        /// Adds bytes of the item, of which the beginning and the end may be those of a slice of the other one.
        mutating func add(
            _ slice: Slice<UnsafeRawBufferPointer>, of item: UnsafeRawBufferPointer,
            like other: Slice<UnsafeRawBufferPointer>, of otherItem: UnsafeRawBufferPointer
        ) {
            let shorter = min(slice.count, other.count)
            let (start, otherStart) = (slice.startIndex, other.startIndex)
            var prefix = 0
            while prefix < shorter, item[start + prefix] == otherItem[otherStart + prefix] { prefix += 1 }
            var suffix = 0
            while suffix < shorter - prefix, item[slice.endIndex - 1 - suffix] == otherItem[other.endIndex - 1 - suffix]
            { suffix += 1 }
            if suffix < matchBytesMin { suffix = 0 }
            copy(otherStart..<(otherStart + prefix))
            add(own: slice[(start + prefix)..<(slice.endIndex - suffix)])
            copy((other.endIndex - suffix)..<other.endIndex)
        }

        /// Adds bytes that the other item does not have there.
        mutating func add(own bytes: Slice<UnsafeRawBufferPointer>) { own.append(contentsOf: bytes) }

        private mutating func copy(_ range: Range<Int>) {
            if range.isEmpty { return }
            if own.isEmpty, range.lowerBound == copied.upperBound {
                copied = copied.lowerBound..<range.upperBound
            } else {
                finishPart()
                copied = range
            }
        }

        private mutating func finishPart() {
            if copied.isEmpty, own.isEmpty { return }
            // Own bytes before anything was copied stand behind an empty copy.
            let start = copied.isEmpty ? end : copied.lowerBound
            RecordWriter.append(Int64(start - end), to: &written)
            RecordWriter.append(Int64(copied.count), to: &written)
            RecordWriter.append(own, to: &written)
            end = start + copied.count
            copied = end..<end
            own.removeAll(keepingCapacity: true)
        }
    }
}

/// Passes over the attributes of a stored item without reading their values.
struct AttributeCursor {
    /// Where an attribute lies.
    struct Attribute {
        /// Its name.
        let name: Range<Int>
        /// What stands before its content: the name, the type and how much there is.
        let head: Range<Int>
        /// Its content.
        let content: Range<Int>

        /// All of it.
        var range: Range<Int> { head.lowerBound..<content.upperBound }

        /// The bytes of the name.
        func name(_ item: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: item[name])
        }
    }

    private var reader: ItemReader
    private var left = 0

    /// A cursor over an item, which must outlive it.
    init(_ item: UnsafeRawBufferPointer) { reader = ItemReader(item) }

    /// Passes over what stands before the attributes.
    ///
    /// - Returns: where they begin.
    mutating func passHead() throws(ItemCodecError) -> Int {
        left = try reader.passHead()
        return reader.position
    }

    /// The next attribute, nil at the end.
    mutating func next() throws(ItemCodecError) -> Attribute? {
        guard left > 0 else { return nil }
        left -= 1
        let start = reader.position
        let name = try reader.passText()
        let content = try reader.passValue(depth: 0)
        return Attribute(name: name, head: start..<content, content: content..<reader.position)
    }
}
