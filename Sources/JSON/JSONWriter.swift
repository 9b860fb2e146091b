import Bytes

/// Writes JSON into a buffer of its own that can be used again; puts the commas and colons.
///
/// Appends only. Once the buffer has grown, writing allocates nothing, but for a double whose shortest spelling is
/// longer than 15 bytes. What is written in which order is the caller's: a key before each member's value.
package struct JSONWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []

    private var needsComma = false
    private var isAfterKey = false
    private var depth = 0
    private let isPretty: Bool

    /// An empty writer.
    ///
    /// - Parameter pretty: one member or element a line, indented by two spaces a level.
    package init(pretty: Bool = false) { isPretty = pretty }

    /// Forgets what was written; by default the buffer keeps its size.
    package mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        needsComma = false
        isAfterKey = false
        depth = 0
    }

    // MARK: Containers

    /// Begins an object.
    @inline(__always)
    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Ends the object begun last.
    @inline(__always)
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Begins an array.
    @inline(__always)
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Ends the array begun last.
    @inline(__always)
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
        depth += 1
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if isPretty, needsComma { breakLine() }
        bytes.append(bracket)
        needsComma = true
    }

    // MARK: Names

    /// Writes a member's name.
    package mutating func key(_ name: StaticString) {
        writeKey(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// Writes a member's name.
    @_disfavoredOverload
    package mutating func key(_ name: String) {
        var name = name
        name.withUTF8 { writeKey(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a member's name given as UTF-8.
    package mutating func key(_ name: UnsafeRawBufferPointer) { writeKey(name) }

    private mutating func writeKey(_ name: UnsafeRawBufferPointer) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        isAfterKey = true
    }

    // MARK: Scalars

    /// Writes a string.
    package mutating func string(_ text: StaticString) {
        string(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes a string.
    @_disfavoredOverload
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string given as UTF-8, which is not checked.
    package mutating func string(_ text: UnsafeRawBufferPointer) {
        separate()
        bytes.append(jsonString: text)
        needsComma = true
    }

    /// Writes a whole number.
    package mutating func int(_ value: Int) { int(Int64(value)) }

    /// Writes a whole number.
    package mutating func int(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(value.magnitude)
        needsComma = true
    }

    /// Writes a double in its shortest spelling that reads back the same; JSON has no infinities and no NaN: `null`.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        var text = value.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
        needsComma = true
    }

    /// Writes a boolean.
    package mutating func bool(_ value: Bool) {
        separate()
        if value {
            bytes.append(contentsOf: StaticBytes.true)
        } else {
            bytes.append(contentsOf: StaticBytes.false)
        }
        needsComma = true
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes.append(contentsOf: StaticBytes.null)
        needsComma = true
    }

    // MARK: Values

    /// Writes what is JSON already.
    package mutating func raw(_ json: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes what is JSON already.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes a tree; numbers as they are spelled.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let number): rawText(number.spelling)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(member.key)
                self.value(member.value)
            }
            endObject()
        }
    }

    /// Writes a value of a tape; numbers as they are spelled.
    package mutating func value(_ view: JSONView) {
        switch view.kind {
        case .null: null()
        case .false: bool(false)
        case .true: bool(true)
        case .number: raw(view.numberSpelling ?? UnsafeRawBufferPointer(start: nil, count: 0))
        case .string: string(view.stringBytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        case .array:
            beginArray()
            for element in view.elements { value(element) }
            endArray()
        case .object:
            beginObject()
            for member in view.members {
                key(member.name)
                value(member.value)
            }
            endObject()
        }
    }

    private mutating func rawText(_ text: String) {
        var text = text
        text.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
    }

    // MARK: Parts

    /// What has to stand before a value: nothing after a key, else a comma unless it is the first.
    @inline(__always)
    private mutating func separate() {
        if isAfterKey {
            isAfterKey = false
            return
        }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if isPretty, depth > 0 { breakLine() }
    }

    private mutating func breakLine() {
        bytes.append(0x0A)
        for _ in 0..<depth * 2 { bytes.append(UInt8(ascii: " ")) }
    }

    /// Appends the decimal digits of `value`.
    private mutating func appendDigits(_ value: UInt64) {
        var rest = value
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        repeat {
            first -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
        for position in first..<20 { bytes.append(digits[position]) }
    }
}

/// The words of JSON as bytes.
private enum StaticBytes {
    static var `true`: UnsafeRawBufferPointer { bytes("true") }
    static var `false`: UnsafeRawBufferPointer { bytes("false") }
    static var null: UnsafeRawBufferPointer { bytes("null") }

    private static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension JSONWriter {
    /// Writes a member whose value is a string.
    package mutating func member(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }
}
