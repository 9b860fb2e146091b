/// A strict, reusable parser: turns a JSON text (RFC 8259) into a flat tape of entries.
///
/// Strings and numbers are slices of the text, which is not copied; only a string with escapes is decoded into a side
/// buffer. After the buffers have grown to the size of the traffic, parsing allocates nothing. The text must outlive
/// the views. Not for use by several threads at once.
package final class JSONTape {
    /// What the parser accepts.
    package let options: JSONParseOptions

    /// Where the views find everything. At a fixed address for the tape's whole life, so that a view is two words.
    let storage: UnsafeMutablePointer<TapeStorage>

    /// A tape with empty buffers.
    package init(options: JSONParseOptions = JSONParseOptions()) {
        self.options = options
        storage = .allocate(capacity: 1)
        storage.initialize(to: TapeStorage())
    }

    deinit {
        storage.pointee.deallocate()
        storage.deinitialize(count: 1)
        storage.deallocate()
    }

    /// Parses `text`; what the tape held before, and every view of it, is gone, also when this throws.
    ///
    /// - Parameter text: must stay where it is, unchanged, as long as views are used.
    /// - Throws: the first thing that is wrong, and the byte where. Linear in the text, whatever it holds.
    package func parse(_ text: UnsafeRawBufferPointer) throws(JSONError) {
        storage.pointee.reset(text: text)
        guard text.count <= Int(Int32.max) else { throw JSONError(.tooLarge, at: Int(Int32.max)) }
        var scanner = TapeScanner(text: text, options: options, storage: storage.pointee)
        defer { storage.pointee = scanner.storage }
        do throws(JSONError) {
            try scanner.scanText()
        } catch {
            scanner.storage.entryCount = 0
            throw error
        }
    }

    /// The value that was parsed last. Only after a `parse` that did not throw.
    package var root: JSONView {
        precondition(storage.pointee.entryCount > 0, "no text was parsed")
        return JSONView(storage: UnsafePointer(storage), entry: UnsafePointer(storage.pointee.entries))
    }
}

/// One entry of a tape. A member of an object is two: the name's, then the value's.
public struct TapeEntry {
    /// What the entry is.
    public var kind: JSONView.Kind
    /// `TapeEntry.decoded` and so on.
    public var flags: UInt8
    /// Where a string or number begins, in the text or the side buffer; where an object's name index begins, plus one.
    public var offset: UInt32
    /// Bytes of a string or number; how many members or elements.
    public var length: UInt32
    /// The entry after this value. While a container is open: the container around it.
    public var next: UInt32

    /// The string had escapes: its bytes are in the side buffer.
    public static var decoded: UInt8 { 1 }
    /// A later member has the same name: this one does not count.
    public static var shadowed: UInt8 { 2 }
    /// The number has neither fraction nor exponent.
    public static var integer: UInt8 { 4 }
}

/// A tape's buffers, and the text it was made of.
public struct TapeStorage {
    /// The text; not owned.
    public var text: UnsafeRawPointer
    /// The entries in the order of the text.
    public var entries: UnsafeMutablePointer<TapeEntry>
    /// Bytes of strings that had escapes.
    public var decoded: UnsafeMutableRawPointer
    /// Hash tables over the names of large objects: a mask, then the entries' numbers (zero: free).
    public var slots: UnsafeMutablePointer<UInt32>

    var entryCount = 0
    var entryCapacity: Int
    var decodedCount = 0
    var decodedCapacity: Int
    var slotCount = 0
    var slotCapacity: Int

    /// Beyond so many bytes of any buffer it is given back when the next text is parsed: one large request must not
    /// hold its memory for good.
    static var keptBytes: Int { 256 * 1024 }

    init() {
        entryCapacity = 64
        entries = .allocate(capacity: entryCapacity)
        decodedCapacity = 64
        decoded = .allocate(byteCount: decodedCapacity, alignment: 1)
        slotCapacity = 1
        slots = .allocate(capacity: slotCapacity)
        text = UnsafeRawPointer(decoded)
    }

    func deallocate() {
        entries.deallocate()
        decoded.deallocate()
        slots.deallocate()
    }

    mutating func reset(text bytes: UnsafeRawBufferPointer) {
        let most = entryCapacity * MemoryLayout<TapeEntry>.stride
        if max(most, decodedCapacity, slotCapacity * 4) > Self.keptBytes {
            deallocate()
            self = TapeStorage()
        }
        text = bytes.baseAddress ?? UnsafeRawPointer(decoded)
        entryCount = 0
        decodedCount = 0
        slotCount = 0
    }

    mutating func growEntries() {
        let larger = UnsafeMutablePointer<TapeEntry>.allocate(capacity: entryCapacity * 2)
        larger.moveInitialize(from: entries, count: entryCount)
        entries.deallocate()
        entries = larger
        entryCapacity *= 2
    }

    /// Makes room for `capacity` bytes of decoded strings, keeping those that are there.
    mutating func reserveDecoded(_ capacity: Int) {
        guard capacity > decodedCapacity else { return }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: decoded, byteCount: decodedCount)
        decoded.deallocate()
        decoded = larger
        decodedCapacity = capacity
    }

    /// Adds `count` zeroed slots and returns where they begin.
    mutating func appendSlots(_ count: Int) -> Int {
        if slotCount + count > slotCapacity {
            let capacity = max(slotCapacity * 2, slotCount + count)
            let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
            larger.moveInitialize(from: slots, count: slotCount)
            slots.deallocate()
            slots = larger
            slotCapacity = capacity
        }
        let start = slotCount
        (slots + start).initialize(repeating: 0, count: count)
        slotCount += count
        return start
    }
}

extension TapeStorage {
    /// The bytes of a string's or number's entry.
    @inlinable
    public func bytes(of entry: UnsafePointer<TapeEntry>) -> UnsafeRawBufferPointer {
        let start = entry.pointee.flags & TapeEntry.decoded == 0 ? text : UnsafeRawPointer(decoded)
        return UnsafeRawBufferPointer(start: start + Int(entry.pointee.offset), count: Int(entry.pointee.length))
    }
}
