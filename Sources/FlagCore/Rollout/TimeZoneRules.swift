/// When the clocks of a time zone are how far ahead of UTC: the contents of a file of the tz database (RFC 8536).
///
/// Reading the file is somebody else's: this target does no input. Instants are seconds since 1970-01-01T00:00:00Z.
package struct TimeZoneRules: Sendable, Equatable {
    /// Coordinated universal time, which needs no file.
    package static let utc = TimeZoneRules(instants: [], offsets: [], first: 0, later: nil)

    /// When the offset changes, ascending.
    private let instants: [Int64]
    /// The offset from each of these instants on, in seconds ahead of UTC.
    private let offsets: [Int64]
    /// The offset before the first of them.
    private let first: Int64
    /// What holds from the last of them on.
    private let later: YearlyTimeZone?

    private init(instants: [Int64], offsets: [Int64], first: Int64, later: YearlyTimeZone?) {
        self.instants = instants
        self.offsets = offsets
        self.first = first
        self.later = later
    }

    /// Reads a file's bytes; nil when they are not of the format's version 2 or later.
    package init?(tzif bytes: [UInt8]) {
        var reader = TZifReader(bytes: bytes)
        guard let old = reader.header(), old.version >= UInt8(ascii: "2"), reader.skip(old.byteCount(timeSize: 4)),
            let counts = reader.header()
        else { return nil }
        var instants: [Int64] = []
        for _ in 0..<counts.times {
            guard let instant = reader.integer(8) else { return nil }
            guard instants.last.map({ $0 < instant }) ?? true else { return nil }
            instants.append(instant)
        }
        var kinds: [Int] = []
        for _ in 0..<counts.times {
            guard let kind = reader.byte() else { return nil }
            kinds.append(Int(kind))
        }
        var kindOffsets: [Int64] = []
        for _ in 0..<counts.kinds {
            guard let offset = reader.integer(4), reader.skip(2), abs(offset) < 26 * 3_600 else { return nil }
            kindOffsets.append(offset)
        }
        guard let first = kindOffsets.first, kinds.allSatisfy({ $0 < kindOffsets.count }),
            reader.skip(counts.characters + counts.leapSeconds * 12 + counts.standards + counts.universals),
            let footer = reader.footer()
        else { return nil }
        self.init(
            instants: instants, offsets: kinds.map { kindOffsets[$0] }, first: first,
            later: footer.isEmpty ? nil : YearlyTimeZone(posix: footer))
    }

    /// How many seconds local clocks are ahead of UTC at an instant. O(log n).
    package func offset(at instant: Int64) -> Int64 {
        let index = count(until: instant)
        if index == instants.count, let later { return later.offset(at: instant) }
        return index == 0 ? first : offsets[index - 1]
    }

    /// The first instant after `instant` at which clocks may be changed; nil when they never are again. O(log n).
    package func nextChange(after instant: Int64) -> Int64? {
        let index = count(until: instant)
        return index < instants.count ? instants[index] : later?.nextChange(after: instant)
    }

    /// How many changes there were up to and with an instant.
    private func count(until instant: Int64) -> Int {
        var low = 0
        var high = instants.count
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Reads the parts of a TZif file (RFC 8536 section 3) from left to right.
private struct TZifReader {
    /// How many entries of each kind a data block has.
    struct Counts {
        let version: UInt8
        let universals: Int
        let standards: Int
        let leapSeconds: Int
        let times: Int
        let kinds: Int
        let characters: Int

        func byteCount(timeSize: Int) -> Int {
            times * (timeSize + 1) + kinds * 6 + characters + leapSeconds * (timeSize + 4) + standards + universals
        }
    }

    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        position += 1
        return bytes[position - 1]
    }

    /// A signed big-endian number of `size` bytes.
    mutating func integer(_ size: Int) -> Int64? {
        guard position + size <= bytes.count else { return nil }
        var value: UInt64 = 0
        for byte in bytes[position..<position + size] { value = value << 8 | UInt64(byte) }
        position += size
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, count <= bytes.count - position else { return false }
        position += count
        return true
    }

    mutating func header() -> Counts? {
        guard bytes[position...].starts(with: "TZif".utf8), skip(4), let version = byte(), skip(15) else { return nil }
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = integer(4), (0...10_000).contains(count) else { return nil }
            counts.append(Int(count))
        }
        return Counts(
            version: version, universals: counts[0], standards: counts[1], leapSeconds: counts[2], times: counts[3],
            kinds: counts[4], characters: counts[5])
    }

    /// The text between the two line feeds at the end.
    mutating func footer() -> [UInt8]? {
        guard byte() == UInt8(ascii: "\n"), let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        return Array(bytes[position..<end])
    }
}
