extension DynamoNumber: CustomStringConvertible {
    /// Reads a decimal number: sign, digits with an optional point, optional exponent (`-1.50`, `15E-1`, `.5`).
    ///
    /// Leading and trailing zeros do not count as digits, as in DynamoDB.
    ///
    /// - Throws: `notANumber` when the text is something else, `tooManyDigits`, `overflow`, `underflow`.
    package init(_ text: some StringProtocol) throws(DynamoNumberError) {
        var scanner = DecimalScanner()
        guard scanner.scan(text.utf8) else { throw .notANumber(String(text)) }
        guard !scanner.hasTooManyDigits else { throw .tooManyDigits }
        try self.init(
            isNegative: scanner.isNegative, coefficient: scanner.coefficient, exponent: scanner.exponent)
    }

    /// The canonical text: plain decimal notation without exponent, `150`, `-0.5`, `0`.
    ///
    /// DynamoDB answers numbers so; at most 131 characters beside the sign.
    package var description: String {
        let digits = String(coefficient)
        let sign = isNegative ? "-" : ""
        let exponent = Int(exponent)
        if exponent >= 0 { return sign + digits + String(repeating: "0", count: exponent) }
        let wholeDigits = digits.utf8.count + exponent
        if wholeDigits <= 0 { return sign + "0." + String(repeating: "0", count: -wholeDigits) + digits }
        return sign + digits.prefix(wholeDigits) + "." + digits.dropFirst(wholeDigits)
    }

    /// The value as coefficient and exponent, `15e-1`.
    var scientific: String { "\(isNegative ? "-" : "")\(coefficient)e\(exponent)" }
}

/// Reads the parts of a decimal number from UTF-8.
private struct DecimalScanner {
    var isNegative = false
    var coefficient: UInt128 = 0
    var exponent = 0
    var hasTooManyDigits = false

    // Zeros that are not part of the coefficient yet: they count only when another digit follows.
    private var pendingZeros = 0
    private var significantDigits = 0

    /// Exponents beyond this cannot be brought back into range by any digits that fit an item.
    private static let exponentMagnitudeMax = 10_000_000

    /// Reads the whole of `text`; false when it is not a number.
    mutating func scan(_ text: some Sequence<UInt8>) -> Bool {
        var bytes = text.makeIterator()
        var byte = bytes.next()
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
            isNegative = byte == UInt8(ascii: "-")
            byte = bytes.next()
        }
        var digits = 0
        var isFraction = false
        loop: while let current = byte {
            switch current {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                take(digit: current - UInt8(ascii: "0"), isFraction: isFraction)
                digits += 1
            case UInt8(ascii: ".") where !isFraction:
                isFraction = true
            case UInt8(ascii: "e") where digits > 0, UInt8(ascii: "E") where digits > 0:
                return scanExponent(&bytes)
            default:
                return false
            }
            byte = bytes.next()
        }
        finish()
        return digits > 0
    }

    private mutating func take(digit: UInt8, isFraction: Bool) {
        if isFraction { exponent -= 1 }
        guard digit != 0 else {
            if significantDigits > 0 { pendingZeros += 1 }
            return
        }
        significantDigits += pendingZeros + 1
        guard significantDigits <= DynamoNumber.digitsMax else {
            hasTooManyDigits = true
            pendingZeros = 0
            return
        }
        coefficient = coefficient * DynamoNumber.powerOfTen(pendingZeros + 1) + UInt128(digit)
        pendingZeros = 0
    }

    /// Trailing zeros that were never taken into the coefficient weigh in the exponent.
    private mutating func finish() { exponent += pendingZeros }

    private mutating func scanExponent(_ bytes: inout some IteratorProtocol<UInt8>) -> Bool {
        finish()
        var byte = bytes.next()
        var isNegative = false
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
            isNegative = byte == UInt8(ascii: "-")
            byte = bytes.next()
        }
        guard byte != nil else { return false }
        var value = 0
        while let current = byte {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) else { return false }
            value = min(value * 10 + Int(current - UInt8(ascii: "0")), Self.exponentMagnitudeMax)
            byte = bytes.next()
        }
        exponent += isNegative ? -value : value
        return true
    }
}
