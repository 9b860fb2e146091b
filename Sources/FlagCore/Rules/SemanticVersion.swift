import JSON

/// A version as `sem_ver` takes it: semver.org 2.0.0, and as flagd does also with a `v` before it, or without patch
/// or minor number. Slices of the text it was read from.
struct SemanticVersion {
    private let major: UnsafeRawBufferPointer
    private let minor: UnsafeRawBufferPointer
    private let patch: UnsafeRawBufferPointer
    private let prerelease: UnsafeRawBufferPointer
    /// How many bytes a comparison looks at at most.
    var count: Int { major.count + minor.count + patch.count + prerelease.count }

    /// Reads a version; nil when `text` is none. Build metadata is checked and forgotten.
    init?(_ text: UnsafeRawBufferPointer) {
        var reader = VersionReader(text: text)
        if reader.next == UInt8(ascii: "v") || reader.next == UInt8(ascii: "V") { reader.position += 1 }
        guard let major = reader.number() else { return nil }
        self.major = major
        // A missing number counts as 0, and after a short version nothing may follow.
        var missing = false
        guard let minor = reader.part(&missing), let patch = reader.part(&missing) else { return nil }
        self.minor = minor
        self.patch = patch
        var prerelease = UnsafeRawBufferPointer(start: nil, count: 0)
        if !missing, reader.skip(UInt8(ascii: "-")) {
            guard let identifiers = reader.identifiers(refusingLeadingZeros: true) else { return nil }
            prerelease = identifiers
        }
        if !missing, reader.skip(UInt8(ascii: "+")) {
            guard reader.identifiers(refusingLeadingZeros: false) != nil else { return nil }
        }
        guard reader.position == text.count else { return nil }
        self.prerelease = prerelease
    }

    /// Whether the major numbers are the same.
    func hasSameMajor(as other: SemanticVersion) -> Bool { Self.order(major, other.major) == 0 }

    /// Whether the major and minor numbers are the same.
    func hasSameMinor(as other: SemanticVersion) -> Bool {
        hasSameMajor(as: other) && Self.order(minor, other.minor) == 0
    }

    /// Below 0, 0 or above 0, as this precedes, equals or follows `other` (semver.org, item 11).
    func order(to other: SemanticVersion) -> Int {
        var order = Self.order(major, other.major)
        if order == 0 { order = Self.order(minor, other.minor) }
        if order == 0 { order = Self.order(patch, other.patch) }
        if order == 0 { order = prereleaseOrder(to: other) }
        return order
    }

    private func prereleaseOrder(to other: SemanticVersion) -> Int {
        if prerelease.isEmpty || other.prerelease.isEmpty {
            return (prerelease.isEmpty ? 1 : 0) - (other.prerelease.isEmpty ? 1 : 0)
        }
        var (left, right) = (prerelease[...], other.prerelease[...])
        while !left.isEmpty, !right.isEmpty {
            let order = Self.identifierOrder(Self.popIdentifier(&left), Self.popIdentifier(&right))
            if order != 0 { return order }
        }
        return (left.isEmpty ? 0 : 1) - (right.isEmpty ? 0 : 1)
    }

    private static func popIdentifier(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer {
        let end = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex
        let identifier = UnsafeRawBufferPointer(rebasing: rest[..<end])
        rest = rest[min(end + 1, rest.endIndex)...]
        return identifier
    }

    private static func identifierOrder(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        switch (left.allSatisfy(isDigit), right.allSatisfy(isDigit)) {
        case (true, true): order(left, right)
        case (true, false): -1
        case (false, true): 1
        case (false, false): byteOrder(left, right)
        }
    }

    /// The order of two numbers without leading zeros, however long.
    private static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        left.count == right.count ? byteOrder(left, right) : left.count - right.count
    }

    fileprivate static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

/// Below 0, 0 or above 0 as `left` comes before, equals or comes after `right`, byte by byte.
func byteOrder(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
        return Int(left[index]) - Int(right[index])
    }
    return left.count - right.count
}

/// Reads the parts of a version from left to right.
private struct VersionReader {
    let text: UnsafeRawBufferPointer
    var position = 0

    var next: UInt8 { position < text.count ? text[position] : 0 }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte, position < text.count else { return false }
        position += 1
        return true
    }

    /// Digits without a leading zero.
    mutating func number() -> UnsafeRawBufferPointer? {
        let start = position
        while SemanticVersion.isDigit(next) { position += 1 }
        guard position > start, position == start + 1 || text[start] != UInt8(ascii: "0") else { return nil }
        return UnsafeRawBufferPointer(rebasing: text[start..<position])
    }

    /// A point and a number; at the end of the text a 0 that is not there.
    mutating func part(_ missing: inout Bool) -> UnsafeRawBufferPointer? {
        if position == text.count {
            missing = true
            let zero: StaticString = "0"
            return UnsafeRawBufferPointer(start: zero.utf8Start, count: 1)
        }
        return skip(UInt8(ascii: ".")) ? number() : nil
    }

    /// Identifiers with points between them, none empty.
    mutating func identifiers(refusingLeadingZeros: Bool) -> UnsafeRawBufferPointer? {
        let first = position
        repeat {
            let start = position
            while isIdentifierByte(next) { position += 1 }
            let identifier = text[start..<position]
            guard !identifier.isEmpty else { return nil }
            if refusingLeadingZeros, identifier.count > 1, identifier.first == UInt8(ascii: "0"),
                identifier.allSatisfy(SemanticVersion.isDigit)
            {
                return nil
            }
        } while skip(UInt8(ascii: "."))
        return UnsafeRawBufferPointer(rebasing: text[first..<position])
    }

    private func isIdentifierByte(_ byte: UInt8) -> Bool {
        SemanticVersion.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
    }
}

/// The comparisons of `sem_ver`.
enum VersionComparison: UInt8 {
    case equal, unequal, less, lessOrEqual, greater, greaterOrEqual, sameMajor, sameMinor

    /// The comparison that `symbol` stands for.
    init?(_ symbol: UnsafeRawBufferPointer) {
        // Longer ones would only be copied.
        guard symbol.count <= 2 else { return nil }
        switch String(decoding: symbol, as: UTF8.self) {
        case "=": self = .equal
        case "!=": self = .unequal
        case "<": self = .less
        case "<=": self = .lessOrEqual
        case ">": self = .greater
        case ">=": self = .greaterOrEqual
        case "^": self = .sameMajor
        case "~": self = .sameMinor
        default: return nil
        }
    }

    /// Whether it holds between two versions.
    func holds(_ left: SemanticVersion, _ right: SemanticVersion) -> Bool {
        switch self {
        case .equal: left.order(to: right) == 0
        case .unequal: left.order(to: right) != 0
        case .less: left.order(to: right) < 0
        case .lessOrEqual: left.order(to: right) <= 0
        case .greater: left.order(to: right) > 0
        case .greaterOrEqual: left.order(to: right) >= 0
        case .sameMajor: left.hasSameMajor(as: right)
        case .sameMinor: left.hasSameMinor(as: right)
        }
    }
}
