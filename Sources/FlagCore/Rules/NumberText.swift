/// A number's text as JavaScript writes it (ECMA-262, Number::toString): shortest, whole numbers without a point.
struct NumberText {
    // The longest: a sign, 17 digits, "0.00000" before them or "e-324" with a point among them.
    private var buffer = InlineArray<32, UInt8>(repeating: 0)
    private var count = 0

    /// The text of a whole number.
    init(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(value.magnitude)
    }

    /// The text of any number.
    init(_ value: Double) {
        if value < 0 { append(UInt8(ascii: "-")) }
        if let whole = UInt64(exactly: value.magnitude) {
            append(whole)
        } else if value.isFinite {
            append(shortest: value.magnitude)
        } else {
            append(value.isNaN ? "NaN" : "Infinity")
        }
    }

    private mutating func append(shortest magnitude: Double) {
        // The standard library finds the shortest digits; only their arrangement differs.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var (digitCount, point, exponent) = (0, -1, 0)
        var rest = Substring(magnitude.description).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ".") {
                point = digitCount
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(Substring(rest)) ?? 0
                break
            } else if byte != UInt8(ascii: "0") || digitCount > 0 || point >= 0 {
                digits[digitCount] = byte
                digitCount += 1
            }
        }
        if point < 0 { point = digitCount }
        arrange(digits, digitCount, point: point + exponent)
    }

    /// Calls `body` with the text.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBytes(of: buffer) { (bytes) throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }

    /// Writes `0.d₁d₂…` × 10^`point`.
    private mutating func arrange(_ given: InlineArray<20, UInt8>, _ givenCount: Int, point givenPoint: Int) {
        var (first, last, point) = (0, givenCount, givenPoint)
        while first < last, given[first] == UInt8(ascii: "0") {
            first += 1
            point -= 1
        }
        while last > first, given[last - 1] == UInt8(ascii: "0") { last -= 1 }
        let digits = last - first
        if point > 21 || point <= -6 {
            append(given[first])
            if digits > 1 { append(UInt8(ascii: ".")) }
            for index in first + 1..<max(last, first + 1) { append(given[index]) }
            append(UInt8(ascii: "e"))
            append(UInt8(ascii: point > 0 ? "+" : "-"))
            return append(UInt64(abs(point - 1)))
        }
        if point <= 0 { append("0.") }
        for _ in point..<max(point, 0) { append(UInt8(ascii: "0")) }
        for index in first..<last {
            if index > first || point > 0, index - first == point { append(UInt8(ascii: ".")) }
            append(given[index])
        }
        for _ in digits..<max(digits, point) { append(UInt8(ascii: "0")) }
    }

    private mutating func append(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    private mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }

    private mutating func append(_ value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
