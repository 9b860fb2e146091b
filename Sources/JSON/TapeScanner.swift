/// The one tokenizer and grammar of this target: reads a text once, from left to right, and appends to a tape.
///
/// No recursion: an open container's entry holds the number of the container around it.
struct TapeScanner {
    var storage: TapeStorage
    let start: UnsafeRawPointer
    let end: UnsafeRawPointer
    var cursor: UnsafeRawPointer

    private let maximumDepth: Int
    let refusesDuplicates: Bool
    private var depth = 0
    /// The innermost open container, or `none`.
    private var container = Self.none

    private static var none: UInt32 { .max }

    init(text: UnsafeRawBufferPointer, options: JSONParseOptions, storage: TapeStorage) {
        self.storage = storage
        start = storage.text
        cursor = start
        end = start + text.count
        maximumDepth = options.maximumDepth
        refusesDuplicates = options.duplicateKeys == .refuse
    }

    /// Reads the whole text: one value with nothing but white space around it.
    mutating func scanText() throws(JSONError) {
        var isValueDue = true
        while isValueDue {
            skipWhitespace()
            isValueDue = try scanValueStart()
            if !isValueDue { isValueDue = try finishValue() }
        }
        skipWhitespace()
        guard cursor == end else { throw error(.trailingContent) }
    }

    /// An error of this reason, at the cursor.
    @inline(never)
    func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason, at: cursor - start) }

    /// The error that the byte at the cursor, or its absence, is.
    @inline(never)
    func unexpected() -> JSONError {
        cursor < end ? error(.unexpectedByte(cursor.load(as: UInt8.self))) : error(.unexpectedEnd)
    }

    /// The byte at the cursor; 0 at the end, which no rule of the grammar accepts.
    @inline(__always)
    private var byte: UInt8 { cursor < end ? cursor.load(as: UInt8.self) : 0 }

    @inline(__always)
    private mutating func skipWhitespace() {
        while cursor < end {
            switch cursor.load(as: UInt8.self) {
            case 0x20, 0x0A, 0x0D, 0x09: cursor += 1
            default: return
            }
        }
    }

    // MARK: Values

    /// Reads a scalar, an empty container, or the beginning of a container up to where its first value is due.
    ///
    /// - Returns: whether another value is due at the cursor.
    private mutating func scanValueStart() throws(JSONError) -> Bool {
        switch byte {
        case UInt8(ascii: "\""):
            try scanString()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try scanNumber()
        case UInt8(ascii: "{"):
            return try open(.object)
        case UInt8(ascii: "["):
            return try open(.array)
        case UInt8(ascii: "t"):
            try scanWord("true", .true)
        case UInt8(ascii: "f"):
            try scanWord("false", .false)
        case UInt8(ascii: "n"):
            try scanWord("null", .null)
        default:
            throw unexpected()
        }
        return false
    }

    /// After a value: closes what ends here and reads up to where the next value is due.
    ///
    /// - Returns: whether another value is due; if not, the text's one value is complete.
    private mutating func finishValue() throws(JSONError) -> Bool {
        while container != Self.none {
            (storage.entries + Int(container)).pointee.length += 1
            skipWhitespace()
            let isObject = storage.entries[Int(container)].kind == .object
            switch byte {
            case UInt8(ascii: ","):
                cursor += 1
                if isObject { try scanKey() }
                return true
            case UInt8(ascii: "}") where isObject:
                cursor += 1
                try indexNames(of: Int(container))
                close()
            case UInt8(ascii: "]") where !isObject:
                cursor += 1
                close()
            default:
                throw unexpected()
            }
        }
        return false
    }

    /// Enters a container; an empty one is left again at once.
    private mutating func open(_ kind: JSONView.Kind) throws(JSONError) -> Bool {
        guard depth < maximumDepth else { throw error(.tooDeep(limit: maximumDepth)) }
        depth += 1
        let index = UInt32(truncatingIfNeeded: storage.entryCount)
        append(TapeEntry(kind: kind, flags: 0, offset: 0, length: 0, next: container))
        container = index
        cursor += 1
        skipWhitespace()
        if byte == (kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            cursor += 1
            close()
            return false
        }
        if kind == .object { try scanKey() }
        return true
    }

    private mutating func close() {
        let entry = storage.entries + Int(container)
        container = entry.pointee.next
        entry.pointee.next = UInt32(truncatingIfNeeded: storage.entryCount)
        depth -= 1
    }

    /// Reads a member's name and the colon after it.
    private mutating func scanKey() throws(JSONError) {
        skipWhitespace()
        guard byte == UInt8(ascii: "\"") else { throw unexpected() }
        try scanString()
        skipWhitespace()
        guard byte == UInt8(ascii: ":") else { throw unexpected() }
        cursor += 1
    }

    private mutating func scanWord(_ word: StaticString, _ kind: JSONView.Kind) throws(JSONError) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard byte == word.utf8Start[offset] else { throw unexpected() }
            cursor += 1
        }
        append(kind, flags: 0, from: cursor, to: cursor)
    }

    // MARK: Numbers (RFC 8259 section 6)

    private mutating func scanNumber() throws(JSONError) {
        let first = cursor
        var flags = TapeEntry.integer
        if byte == UInt8(ascii: "-") { cursor += 1 }
        if byte == UInt8(ascii: "0") {
            cursor += 1
            if isDigit(byte) { throw error(.invalidNumber) }
        } else {
            try skipDigits()
        }
        if byte == UInt8(ascii: ".") {
            flags = 0
            cursor += 1
            try skipDigits()
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            flags = 0
            cursor += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { cursor += 1 }
            try skipDigits()
        }
        append(.number, flags: flags, from: first, to: cursor)
    }

    /// Skips at least one digit.
    private mutating func skipDigits() throws(JSONError) {
        guard isDigit(byte) else { throw cursor < end ? error(.invalidNumber) : error(.unexpectedEnd) }
        repeat { cursor += 1 } while isDigit(byte)
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    // MARK: The tape

    @inline(__always)
    mutating func append(_ kind: JSONView.Kind, flags: UInt8, from first: UnsafeRawPointer, to last: UnsafeRawPointer) {
        append(
            TapeEntry(
                kind: kind, flags: flags, offset: UInt32(truncatingIfNeeded: first - start),
                length: UInt32(truncatingIfNeeded: last - first),
                next: UInt32(truncatingIfNeeded: storage.entryCount + 1)))
    }

    @inline(__always)
    mutating func append(_ entry: TapeEntry) {
        if storage.entryCount == storage.entryCapacity { storage.growEntries() }
        (storage.entries + storage.entryCount).initialize(to: entry)
        storage.entryCount += 1
    }
}
