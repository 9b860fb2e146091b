import Bytes
import Glibc

/// Decodes a chunked body in place: the chunks' data moves together behind the head, sizes, extensions and trailers go
/// (RFC 9112 §7.1).
struct ChunkDecoder {
    /// What a step came to.
    enum Outcome: Equatable {
        /// The body is whole; `bodyLength` bytes of it stand behind the head.
        case complete
        /// More bytes are needed.
        case incomplete
        /// The body is malformed or too large.
        case invalid(RequestFault)
    }

    private enum Part { case size, data, dataEnd, trailer }

    /// Bytes decoded so far.
    private(set) var bodyLength = 0
    /// Bytes of the body at most.
    private let maximum: Int
    private var part = Part.size
    /// Bytes of the chunk at hand that are still to come.
    private var remaining = 0
    /// Bytes of the line at hand in which there is no line feed.
    private var scanned = 0
    private var trailerBytes = 0
    private var trailerCount = 0

    /// - Parameter maximum: bytes of the body at most.
    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Decodes what has come.
    ///
    /// - Parameters:
    ///   - input: The message from its first byte; what was decoded before stands behind the head.
    ///   - headLength: Bytes of the head.
    ///   - limits: Bounds on the size lines and the trailers.
    /// - Complexity: O(new bytes).
    mutating func decode(_ input: inout ByteBuffer, headLength: Int, limits: borrowing HTTPLimits) -> Outcome {
        let written = headLength + bodyLength
        var read = written
        let outcome = decode(input.mutableReadable, from: &read, headLength: headLength, limits: limits)
        input.remove(headLength + bodyLength..<read)
        return outcome
    }

    private mutating func decode(
        _ bytes: UnsafeMutableRawBufferPointer, from read: inout Int, headLength: Int, limits: borrowing HTTPLimits
    ) -> Outcome {
        guard let start = bytes.baseAddress else { return .incomplete }
        while true {
            switch part {
            case .data:
                let count = min(remaining, bytes.count - read)
                let target = headLength + bodyLength
                if target != read { memmove(start + target, start + read, count) }
                read += count
                bodyLength += count
                remaining -= count
                if remaining > 0 { return .incomplete }
                part = .dataEnd
            case .dataEnd:
                let left = bytes.count - read
                if left > 0, bytes[read] != 0x0D { return .invalid(.malformedChunk) }
                if left < 2 { return .incomplete }
                if bytes[read + 1] != 0x0A { return .invalid(.malformedChunk) }
                read += 2
                part = .size
            case .size, .trailer:
                let limit = part == .size ? limits.chunkLineBytes : limits.fieldBytes
                let fault: RequestFault = part == .size ? .malformedChunk : .malformedTrailer
                guard let found = memchr(start + read + scanned, 0x0A, bytes.count - read - scanned) else {
                    scanned = bytes.count - read
                    return scanned > limit ? .invalid(fault) : .incomplete
                }
                let lineFeed = UnsafeRawPointer(found) - UnsafeRawPointer(start)
                guard lineFeed > read, bytes[lineFeed - 1] == 0x0D, lineFeed - read <= limit else {
                    return .invalid(fault)
                }
                let line = UnsafeRawBufferPointer(rebasing: bytes[read..<lineFeed - 1])
                read = lineFeed + 1
                scanned = 0
                if part == .trailer, line.isEmpty { return .complete }
                let problem: RequestFault?
                if part == .size { problem = takeSize(line) } else { problem = takeTrailer(line, limits) }
                if let problem { return .invalid(problem) }
            }
        }
    }

    /// `1*HEXDIG [ chunk-ext ]`.
    private mutating func takeSize(_ line: UnsafeRawBufferPointer) -> RequestFault? {
        var size = 0
        var digits = 0
        while digits < line.count, let value = ByteClass.hexValue(line[digits]) {
            if size > Int.max >> 4 { return .malformedChunk }
            size = size << 4 | Int(value)
            digits += 1
        }
        if digits == 0 || !ChunkExtensions.areValid(line[digits...]) { return .malformedChunk }
        if size > maximum - bodyLength { return .bodyTooLarge }
        remaining = size
        part = size == 0 ? .trailer : .data
        return nil
    }

    /// Trailers are checked and dropped: they never become header fields (RFC 9110 §6.5.1).
    private mutating func takeTrailer(_ line: UnsafeRawBufferPointer, _ limits: borrowing HTTPLimits) -> RequestFault? {
        trailerBytes += line.count + 2
        trailerCount += 1
        let (maximumBytes, maximumCount) = (limits.fieldBytes, limits.fieldCount)
        if trailerBytes > maximumBytes || trailerCount > maximumCount { return .malformedTrailer }
        guard let start = line.baseAddress, let slice = FieldSlice(start, ByteRange(0, line.count)),
            ByteClass.isFreeOfControls(start + Int(slice.value.start), slice.value.count)
        else { return .malformedTrailer }
        return nil
    }
}

/// What may follow the size of a chunk (RFC 9112 §7.1.1). What it means is not looked at; that it is well formed is,
/// since those who search differently for its end find different chunks.
private enum ChunkExtensions {
    /// Whether `line` is any number of `;name`, `;name=token` and `;name="text"`, with blanks around `;` and `=`.
    static func areValid(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        var rest = line
        while !rest.isEmpty {
            skipBlanks(&rest)
            guard skip(0x3B, &rest) else { return false }
            skipBlanks(&rest)
            guard skipToken(&rest) else { return false }
            let behindName = rest
            skipBlanks(&rest)
            guard skip(0x3D, &rest) else {
                // The blanks belong to the next semicolon.
                rest = behindName
                continue
            }
            skipBlanks(&rest)
            guard rest.first == 0x22 ? skipQuotedString(&rest) : skipToken(&rest) else { return false }
        }
        return true
    }

    private static func skipBlanks(_ rest: inout Slice<UnsafeRawBufferPointer>) {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest.removeFirst() }
    }

    private static func skip(_ byte: UInt8, _ rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private static func skipToken(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = rest.first, ByteClass.isToken(first) else { return false }
        while let byte = rest.first, ByteClass.isToken(byte) { rest.removeFirst() }
        return true
    }

    /// RFC 9110 §5.6.4.
    private static func skipQuotedString(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == 0x22 { return true }
            let text = byte == 0x5C ? rest.popFirst() : byte
            guard let text, text >= 0x20 && text != 0x7F || text == 0x09 else { return false }
        }
        return false
    }
}
