import Bytes
import Glibc

/// Parses a request head line by line, in place and incrementally: each byte is searched once, however the head is
/// split (RFC 9112 §2 to §5).
///
/// Strict where two readers of the same bytes could disagree: bare line feeds, folded lines, control characters and
/// white space before the colon are refused.
struct HeadParser {
    /// What a parse came to.
    enum Outcome: Equatable {
        /// The head is whole; it ends at `length`.
        case complete
        /// More bytes are needed.
        case incomplete
        /// No handler will see this request.
        case invalid(RequestFault)
    }

    /// What was learned so far.
    private(set) var head = RequestHead()
    /// Bytes of the whole head, the empty line included; 0 until it is complete.
    private(set) var length = 0
    /// Whether the head came in several pieces, so that the loop's field table may have served others in between.
    private(set) var isSplit = false
    /// Where the line at hand begins.
    private var lineStart = 0
    /// Up to where no line feed is, from `lineStart`.
    private var scanned = 0
    /// Where the first header field begins; 0 before the request line is parsed.
    private var fieldsStart = 0

    /// Goes on parsing.
    ///
    /// - Parameters:
    ///   - bytes: The message from its first byte: what was given before, and more.
    ///   - fields: Receives the header fields; emptied first when the head begins.
    ///   - limits: Bounds on lines and fields.
    /// - Complexity: O(new bytes).
    @inline(__always)
    mutating func parse(
        _ bytes: UnsafeRawBufferPointer, fields: inout FieldTable, limits: borrowing HTTPLimits
    ) -> Outcome {
        guard let start = bytes.baseAddress else { return .incomplete }
        if lineStart == 0 {
            fields.removeAll()
            // Bytes of another protocol may never have a line feed.
            guard ByteClass.isToken(start.load(as: UInt8.self)) else { return .invalid(.malformedRequestLine) }
        }
        while true {
            guard let found = memchr(start + scanned, 0x0A, bytes.count &- scanned) else {
                scanned = bytes.count
                isSplit = true
                return faultOfLength(start, limits).map { .invalid($0) } ?? .incomplete
            }
            let lineFeed = UnsafeRawPointer(found) - start
            scanned = lineFeed
            // What is too long is refused for that, as it is when the line feed has not come yet.
            if let fault = faultOfLength(start, limits) { return .invalid(fault) }
            guard lineFeed > lineStart, start.load(fromByteOffset: lineFeed &- 1, as: UInt8.self) == 0x0D else {
                return .invalid(.bareLineFeed)
            }
            let line = ByteRange(lineStart, lineFeed &- 1)
            lineStart = lineFeed &+ 1
            scanned = lineStart
            if fieldsStart == 0 {
                if let fault = parseRequestLine(start, line, limits) { return .invalid(fault) }
                fieldsStart = lineStart
            } else if line.count > 0 {
                if lineStart &- fieldsStart > limits.fieldBytes { return .invalid(.fieldsTooLarge) }
                if let fault = parseField(start, line, &fields, limits) { return .invalid(fault) }
            } else {
                length = lineStart
                return checkWhole().map { .invalid($0) } ?? .complete
            }
        }
    }

    /// Finds the header fields again, for a head that was parsed in pieces.
    ///
    /// - Parameters:
    ///   - bytes: The message from its first byte.
    ///   - fields: Receives the fields.
    func tabulate(_ bytes: UnsafeRawBufferPointer, into fields: inout FieldTable) {
        fields.removeAll()
        guard let start = bytes.baseAddress else { return }
        var position = fieldsStart
        while position < length - 2, let found = memchr(start + position, 0x0A, length - position) {
            let lineFeed = UnsafeRawPointer(found) - start
            let line = ByteRange(position, lineFeed - 1)
            if let slice = FieldSlice(start, line) { _ = fields.append(slice) }
            position = lineFeed + 1
        }
    }

    /// A line is refused as soon as it is too long, whether its line feed has come or not. The carriage return may be
    /// there already: that of the request line, or of the empty line behind the fields.
    @inline(__always)
    private func faultOfLength(_ start: UnsafeRawPointer, _ limits: borrowing HTTPLimits) -> RequestFault? {
        if fieldsStart == 0 { return scanned > limits.requestLineBytes &+ 1 ? faultOfLongLine(start, limits) : nil }
        return scanned &- fieldsStart > limits.fieldBytes &+ 1 ? .fieldsTooLarge : nil
    }

    /// What is too long: the method when there is no space as far as the limit, else the target (RFC 9112 §3).
    private func faultOfLongLine(_ start: UnsafeRawPointer, _ limits: borrowing HTTPLimits) -> RequestFault {
        memchr(start, 0x20, limits.requestLineBytes) == nil ? .methodTooLong : .requestLineTooLong
    }

    // MARK: Request line

    /// `method SP request-target SP HTTP-version` (RFC 9112 §3).
    @inline(__always)
    private mutating func parseRequestLine(
        _ start: UnsafeRawPointer, _ line: ByteRange, _ limits: borrowing HTTPLimits
    ) -> RequestFault? {
        let end = Int(line.end)
        var position = 0
        while position < end, ByteClass.isToken(start.load(fromByteOffset: position, as: UInt8.self)) { position &+= 1 }
        guard position > 0, position < end, start.load(fromByteOffset: position, as: UInt8.self) == 0x20 else {
            return .malformedRequestLine
        }
        head.methodLength = position
        head.method = HTTPMethod(UnsafeRawBufferPointer(start: start, count: position))
        let version = end &- 8
        guard version > position &+ 1, start.load(fromByteOffset: version &- 1, as: UInt8.self) == 0x20 else {
            return .malformedRequestLine
        }
        if let fault = parseVersion(start + version) { return fault }
        return parseTarget(start, ByteRange(position &+ 1, version &- 1))
    }

    /// Eight bytes: `HTTP/` DIGIT `.` DIGIT (RFC 9112 §2.3).
    @inline(__always)
    private mutating func parseVersion(_ bytes: UnsafeRawPointer) -> RequestFault? {
        // "HTTP/1.1" as a little-endian word: nearly every request.
        if UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) == 0x312E_312F_5054_5448 { return nil }
        let text = UnsafeRawBufferPointer(start: bytes, count: 8)
        let isVersion = UnsafeRawBufferPointer(rebasing: text[..<5]).hasSameBytes(as: "HTTP/") && text[6] == 0x2E
        guard isVersion, ByteClass.isDigit(text[5]), ByteClass.isDigit(text[7]) else { return .malformedRequestLine }
        guard text[5] == 0x31 else { return .unsupportedVersion }
        head.isHTTP10 = text[7] == 0x30
        return nil
    }

    @inline(__always)
    private mutating func parseTarget(_ start: UnsafeRawPointer, _ range: ByteRange) -> RequestFault? {
        guard range.count > 0 else { return .malformedRequestLine }
        if head.method == .connect { return faultOfConnect(start, range) }
        if start.load(fromByteOffset: Int(range.start), as: UInt8.self) == 0x2F { return parsePath(start, range) }
        return parseOtherTarget(start, range)
    }

    /// CONNECT has the authority form (RFC 9112 §3.2.3), and its port is never left out (RFC 9110 §9.3.6).
    private func faultOfConnect(_ start: UnsafeRawPointer, _ range: ByteRange) -> RequestFault {
        let target = UnsafeRawBufferPointer(start: start + Int(range.start), count: range.count)
        guard Authority.isValid(target), let last = target.last, let colon = target.lastIndex(of: 0x3A) else {
            return .malformedTarget
        }
        let port = target[(colon + 1)...]
        return ByteClass.isDigit(last) && port.allSatisfy(ByteClass.isDigit) && port.contains { $0 != 0x30 }
            ? .connectMethod : .malformedTarget
    }

    /// `path[?query]` (RFC 9112 §3.2.1). Refuses what a URI cannot have and what proxies would read in different ways:
    /// controls, spaces, `#`, `"<>\^{|}` and the back quote, bytes beyond ASCII, and in the path a `%` without two
    /// hexadecimal digits.
    @inline(__always)
    private mutating func parsePath(_ start: UnsafeRawPointer, _ range: ByteRange) -> RequestFault? {
        let end = Int(range.end)
        var position = Int(range.start)
        var pathEnd = end
        while position < end {
            let byte = start.load(fromByteOffset: position, as: UInt8.self)
            guard ByteClass.isTarget(byte) else { return .malformedTarget }
            if byte == 0x3F {
                if pathEnd == end { pathEnd = position }
            } else if byte == 0x25, pathEnd == end {
                guard position &+ 2 < end,
                    ByteClass.hexValue(start.load(fromByteOffset: position &+ 1, as: UInt8.self)) != nil,
                    ByteClass.hexValue(start.load(fromByteOffset: position &+ 2, as: UInt8.self)) != nil
                else { return .malformedTarget }
            }
            position &+= 1
        }
        head.path = ByteRange(Int(range.start), pathEnd)
        if pathEnd < end { head.query = ByteRange(pathEnd &+ 1, end) }
        return nil
    }

    /// `*` and `http://authority/path` (RFC 9112 §3.2.2, §3.2.4).
    private mutating func parseOtherTarget(_ start: UnsafeRawPointer, _ range: ByteRange) -> RequestFault? {
        let target = UnsafeRawBufferPointer(start: start + Int(range.start), count: range.count)
        if target.hasSameBytes(as: "*") {
            head.path = range
            return head.method == .options ? nil : .malformedTarget
        }
        let scheme = [7, 8].first { length in
            target.count > length
                && UnsafeRawBufferPointer(rebasing: target[..<length]).equalsIgnoringCase(
                    length == 7 ? "http://" : "https://")
        }
        guard let scheme else { return .malformedTarget }
        let authorityEnd = target[scheme...].firstIndex { $0 == 0x2F || $0 == 0x3F } ?? target.count
        guard Authority.isValid(UnsafeRawBufferPointer(rebasing: target[scheme..<authorityEnd])) else {
            return .malformedHost
        }
        head.isSecure = scheme == 8
        let pathStart = Int(range.start) + authorityEnd
        if authorityEnd < target.count, target[authorityEnd] == 0x2F {
            return parsePath(start, ByteRange(pathStart, Int(range.end)))
        }
        if let fault = parsePath(start, ByteRange(pathStart, Int(range.end))) { return fault }
        if authorityEnd == target.count, head.method == .options {
            head.isServerWide = true
        } else {
            // An empty path is `/` (RFC 9110 §4.2.3); the one of the scheme serves as its bytes.
            let slash = Int(range.start) + scheme - 1
            head.path = ByteRange(slash, slash + 1)
        }
        return nil
    }

    // MARK: Fields

    @inline(__always)
    private mutating func parseField(
        _ start: UnsafeRawPointer, _ line: ByteRange, _ fields: inout FieldTable, _ limits: borrowing HTTPLimits
    ) -> RequestFault? {
        guard let slice = FieldSlice(start, line) else {
            let first = start.load(fromByteOffset: Int(line.start), as: UInt8.self)
            return first == 0x20 || first == 0x09 ? .obsoleteLineFolding : .malformedFieldName
        }
        guard ByteClass.isFreeOfControls(start + Int(slice.value.start), slice.value.count) else {
            return .malformedFieldValue
        }
        head.fieldCount &+= 1
        guard head.fieldCount <= limits.fieldCount, fields.append(slice) || isSplit else { return .tooManyFields }
        return head.note(
            name: UnsafeRawBufferPointer(start: start + Int(slice.name.start), count: slice.name.count),
            value: UnsafeRawBufferPointer(start: start + Int(slice.value.start), count: slice.value.count))
    }

    /// What only the whole head can tell (RFC 9112 §3.2, §6.1, §6.3).
    @inline(__always)
    private func checkWhole() -> RequestFault? {
        if !head.hasHost && !head.isHTTP10 { return .missingHost }
        if head.hasTransferEncoding { return head.faultOfTransferEncoding }
        return nil
    }
}

extension FieldSlice {
    /// Splits a field line at its colon (RFC 9112 §5); nil when the name is not a token.
    @inline(__always)
    init?(_ start: UnsafeRawPointer, _ line: ByteRange) {
        let end = Int(line.end)
        var colon = Int(line.start)
        while colon < end, ByteClass.isToken(start.load(fromByteOffset: colon, as: UInt8.self)) { colon &+= 1 }
        guard colon > Int(line.start), colon < end, start.load(fromByteOffset: colon, as: UInt8.self) == 0x3A else {
            return nil
        }
        var first = colon &+ 1
        while first < end, FieldSlice.isBlank(start.load(fromByteOffset: first, as: UInt8.self)) { first &+= 1 }
        var last = end
        while last > first, FieldSlice.isBlank(start.load(fromByteOffset: last &- 1, as: UInt8.self)) { last &-= 1 }
        name = ByteRange(Int(line.start), colon)
        value = ByteRange(first, last)
    }

    /// Optional white space: SP and HTAB (RFC 9110 §5.6.3).
    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
