import Bytes

/// A value on a tape, without a copy: two words, no reference count.
///
/// Valid only while the tape holds the text it was made of, and that text stays where it is. Never store one beyond
/// that.
public struct JSONView: BitwiseCopyable {
    /// What a value is.
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        case null
        case `false`
        case `true`
        case number
        case string
        case array
        case object
    }

    @usableFromInline let storage: UnsafePointer<TapeStorage>
    @usableFromInline let entry: UnsafePointer<TapeEntry>

    @inlinable
    init(storage: UnsafePointer<TapeStorage>, entry: UnsafePointer<TapeEntry>) {
        self.storage = storage
        self.entry = entry
    }

    /// What the value is.
    @inlinable public var kind: Kind { entry.pointee.kind }

    /// Whether the value is `null`.
    @inlinable public var isNull: Bool { kind == .null }

    /// The value of a boolean.
    @inlinable public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The UTF-8 of a string, escapes decoded.
    @inlinable public var stringBytes: UnsafeRawBufferPointer? {
        kind == .string ? storage.pointee.bytes(of: entry) : nil
    }

    /// The bytes of a string, or of a number as it is spelled; of no other kind.
    @inlinable public var storedBytes: UnsafeRawBufferPointer { storage.pointee.bytes(of: entry) }

    /// A string, copied.
    package var string: String? {
        stringBytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A number as it is spelled in the text.
    @inlinable public var numberSpelling: UnsafeRawBufferPointer? {
        kind == .number ? storage.pointee.bytes(of: entry) : nil
    }

    /// Whether this is a number spelled with neither fraction nor exponent.
    @inlinable public var isIntegerSpelling: Bool { entry.pointee.flags & TapeEntry.integer != 0 }

    /// A number as the nearest double; infinite when it is out of a double's range.
    package var double: Double? {
        numberSpelling.map { NumberSpelling.double(of: $0) }
    }

    /// A number that is whole and fits 64 bits with sign, exactly; also of `2.0` and `1e3`.
    package var int64: Int64? {
        guard let spelling = numberSpelling else { return nil }
        return NumberSpelling.wholeValue(of: spelling)?.int64
    }

    /// A number that is whole and whose magnitude fits 64 bits, exactly.
    package var wholeNumber: WholeNumber? {
        numberSpelling.flatMap { NumberSpelling.wholeValue(of: $0) }
    }

    /// How many members an object or elements an array has; 0 for anything else.
    @inlinable public var count: Int {
        switch kind {
        case .array, .object: Int(entry.pointee.length)
        default: 0
        }
    }
}

// MARK: - Members and elements

extension JSONView {
    /// A member of an object by its name. Constant time in large objects; small ones are searched.
    @inlinable
    public subscript(name: StaticString) -> JSONView? {
        self[UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)]
    }

    /// A member of an object by the UTF-8 of its name; nil also when this is no object.
    @inlinable
    public subscript(name: UnsafeRawBufferPointer) -> JSONView? {
        guard kind == .object else { return nil }
        if entry.pointee.offset != 0 { return indexedMember(name) }
        let entries = storage.pointee.entries
        let end = UnsafePointer(entries + Int(entry.pointee.next))
        var key = entry + 1
        while key < end {
            if Int(key.pointee.length) == name.count, key.pointee.flags & TapeEntry.shadowed == 0,
                storage.pointee.bytes(of: key).hasSameBytes(as: name)
            {
                return JSONView(storage: storage, entry: key + 1)
            }
            key = UnsafePointer(entries + Int((key + 1).pointee.next))
        }
        return nil
    }

    @usableFromInline
    func indexedMember(_ name: UnsafeRawBufferPointer) -> JSONView? {
        let table = storage.pointee.slots + Int(entry.pointee.offset) - 1
        let mask = Int(table.pointee)
        var slot = TapeStorage.hash(name) & mask
        while true {
            let taken = Int(table[1 + slot])
            guard taken != 0 else { return nil }
            let key = UnsafePointer(storage.pointee.entries + taken)
            if storage.pointee.bytes(of: key).hasSameBytes(as: name) {
                return JSONView(storage: storage, entry: key + 1)
            }
            slot = (slot + 1) & mask
        }
    }

    /// The members of an object in the order of the text; empty for anything else.
    @inlinable public var members: Members { Members(self) }

    /// The elements of an array in the order of the text; empty for anything else.
    @inlinable public var elements: Elements { Elements(self) }

    /// The element at `index`; nil when there is none or this is no array. Linear in `index`.
    package func element(at index: Int) -> JSONView? {
        guard kind == .array, index >= 0, index < count else { return nil }
        return elements.dropFirst(index).first { _ in true }
    }

    /// Calls `body` with the UTF-8 of each member's name and the value.
    @inlinable
    public func forEachMember<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, JSONView) throws(Failure) -> Void
    ) throws(Failure) {
        for member in members { try body(member.name, member.value) }
    }

    /// Calls `body` with each element.
    @inlinable
    public func forEachElement<Failure: Error>(_ body: (JSONView) throws(Failure) -> Void) throws(Failure) {
        for element in elements { try body(element) }
    }

    /// The members of an object, without a copy.
    public struct Members: Sequence, IteratorProtocol {
        @usableFromInline let storage: UnsafePointer<TapeStorage>
        @usableFromInline let end: UnsafePointer<TapeEntry>
        @usableFromInline var key: UnsafePointer<TapeEntry>

        @inlinable
        init(_ object: JSONView) {
            storage = object.storage
            key = object.entry + 1
            end =
                object.kind == .object
                ? UnsafePointer(object.storage.pointee.entries + Int(object.entry.pointee.next)) : key
        }

        /// The next member.
        @inlinable
        public mutating func next() -> (name: UnsafeRawBufferPointer, value: JSONView)? {
            while key < end {
                let name = key
                key = UnsafePointer(storage.pointee.entries + Int((name + 1).pointee.next))
                guard name.pointee.flags & TapeEntry.shadowed == 0 else { continue }
                return (storage.pointee.bytes(of: name), JSONView(storage: storage, entry: name + 1))
            }
            return nil
        }
    }

    /// The elements of an array, without a copy.
    public struct Elements: Sequence, IteratorProtocol {
        @usableFromInline let storage: UnsafePointer<TapeStorage>
        @usableFromInline let end: UnsafePointer<TapeEntry>
        @usableFromInline var entry: UnsafePointer<TapeEntry>

        @inlinable
        init(_ array: JSONView) {
            storage = array.storage
            entry = array.entry + 1
            end =
                array.kind == .array
                ? UnsafePointer(array.storage.pointee.entries + Int(array.entry.pointee.next)) : entry
        }

        /// The next element.
        @inlinable
        public mutating func next() -> JSONView? {
            guard entry < end else { return nil }
            defer { entry = UnsafePointer(storage.pointee.entries + Int(entry.pointee.next)) }
            return JSONView(storage: storage, entry: entry)
        }
    }
}

// MARK: - Trees

extension JSONView {
    /// The value as a tree of its own, independent of tape and text.
    package func materialized() -> JSONValue {
        switch kind {
        case .null: return .null
        case .false: return .bool(false)
        case .true: return .bool(true)
        case .number:
            return .number(JSONNumber(checked: String(decoding: storage.pointee.bytes(of: entry), as: UTF8.self)))
        case .string: return .string(String(decoding: storage.pointee.bytes(of: entry), as: UTF8.self))
        case .array: return .array(elements.map { $0.materialized() })
        case .object:
            // The tape has dealt with duplicates: every name is there once.
            return .object(
                JSONObject(
                    distinct: members.map { (String(decoding: $0.name, as: UTF8.self), $0.value.materialized()) }))
        }
    }
}
