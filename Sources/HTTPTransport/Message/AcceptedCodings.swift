import Bytes

/// How much a client wants which content coding: what `Accept-Encoding` says (RFC 9110 §12.5.3), in thousandths.
struct AcceptedCodings {
    // In few bytes: every request head begins with a fresh one.
    private var gzip = AcceptedCodings.unsaid
    private var identity = AcceptedCodings.unsaid
    private var others = AcceptedCodings.unsaid
    private static let unsaid: Int16 = -1

    /// Takes note of one field's value; several count as one list.
    mutating func note(_ value: UnsafeRawBufferPointer) {
        forEachElement(of: value) { element in
            let parts = element.split(separator: 0x3B, maxSplits: 1)
            guard let first = parts.first else { return }
            let name = UnsafeRawBufferPointer(rebasing: element[AcceptedCodings.trimmed(element, first.indices)])
            let weight = parts.count == 2 ? AcceptedCodings.weight(element, parts[1].indices) : 1000
            if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
                gzip = max(gzip, Int16(weight))
            } else if name.equalsIgnoringCase("identity") {
                identity = Int16(weight)
            } else if name.hasSameBytes(as: "*") {
                others = Int16(weight)
            }
        }
    }

    /// Whether gzip is welcome, and at least as much as no coding.
    var prefersGzip: Bool {
        let weight = gzip >= 0 ? gzip : others
        return weight > 0 && weight >= identity
    }

    /// Whether content without a coding is refused.
    var refusesIdentity: Bool { (identity >= 0 ? identity : others) == 0 }

    /// `q=0.5`, with blanks around the semicolon only. What is malformed counts as 0.
    static func weight(_ element: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        let text = element[trimmed(element, range)].map { lowercased($0) }
        guard text.count >= 3, text.count <= 7, text[0] == 0x71, text[1] == 0x3D else { return 0 }
        guard text[2] == 0x30 || text[2] == 0x31, text.count == 3 || text[3] == 0x2E else { return 0 }
        var weight = Int(text[2] - 0x30) * 1000
        var place = 100
        for digit in text.dropFirst(4) {
            guard ByteClass.isDigit(digit) else { return 0 }
            weight += Int(digit - 0x30) * place
            place /= 10
        }
        return weight <= 1000 ? weight : 0
    }

    /// A part of an element without the blanks around it.
    static func trimmed(_ element: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, element[start] == 0x20 || element[start] == 0x09 { start += 1 }
        while end > start, element[end - 1] == 0x20 || element[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }
}
