/// A whole number of 64 bits and a sign.
package struct WholeNumber: Sendable, Equatable {
    /// Whether it is below zero.
    package let isNegative: Bool
    /// How far from zero.
    package let magnitude: UInt64

    /// A whole number; there is no negative zero.
    package init(isNegative: Bool, magnitude: UInt64) {
        self.isNegative = isNegative && magnitude != 0
        self.magnitude = magnitude
    }

    /// As an `Int64`, if it fits.
    package var int64: Int64? {
        if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }
}

/// What a number's spelling means.
///
/// The spellings given here are known to be digits, with at most one point among or beside them and an exponent after
/// them, behind an optional minus: all of RFC 8259 section 6, and `1.` and `.5`, which other texts have.
package enum NumberSpelling {
    /// The digits and the exponent of a spelling.
    private struct Decimal {
        var isNegative = false
        /// The first digits as a number, leading zeros aside: at most 19, which always fit.
        var significand: UInt64 = 0
        /// How many digits `significand` has.
        var digits = 0
        /// Whether digits other than zero were left out of `significand`.
        var isInexact = false
        /// The power of ten that `significand` is to be multiplied by.
        var exponent = 0
    }

    /// The nearest double, ties to even; infinite when out of range.
    package static func double(of spelling: UnsafeRawBufferPointer) -> Double {
        let decimal = decimal(of: spelling)
        // Both factors are exact doubles, so that one rounding gives the nearest (Clinger, PLDI 1990).
        if !decimal.isInexact, decimal.significand <= 1 << 53, abs(decimal.exponent) <= 22 {
            let significand = Double(decimal.significand)
            let power = powersOfTen[abs(decimal.exponent)]
            let magnitude = decimal.exponent < 0 ? significand / power : significand * power
            return decimal.isNegative ? -magnitude : magnitude
        }
        // The standard library rounds correctly; it takes a string, which may allocate.
        return Double(String(decoding: spelling, as: UTF8.self)) ?? .nan
    }

    /// The value when it is whole and its magnitude fits 64 bits: of `2.0` and `1e3` as well.
    package static func wholeValue(of spelling: UnsafeRawBufferPointer) -> WholeNumber? {
        if let value = plainInteger(spelling) { return value }
        var decimal = decimal(of: spelling)
        if decimal.isInexact { return twentyDigitInteger(spelling, decimal.isNegative) }
        while decimal.exponent < 0, decimal.significand != 0 {
            let (quotient, remainder) = decimal.significand.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { return nil }
            decimal.significand = quotient
            decimal.exponent += 1
        }
        var magnitude = decimal.significand
        if magnitude != 0 {
            guard decimal.exponent <= 19 else { return nil }
            for _ in 0..<max(decimal.exponent, 0) {
                let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
                guard !overflow else { return nil }
                magnitude = product
            }
        }
        return WholeNumber(isNegative: decimal.isNegative, magnitude: magnitude)
    }

    /// The value of up to 18 digits with nothing else: nearly every integer there is.
    @inline(__always)
    private static func plainInteger(_ spelling: UnsafeRawBufferPointer) -> WholeNumber? {
        var index = 0
        let isNegative = spelling[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard spelling.count - index <= 18 else { return nil }
        var magnitude: UInt64 = 0
        while index < spelling.count {
            let digit = spelling[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            magnitude = magnitude &* 10 &+ UInt64(digit)
            index += 1
        }
        return WholeNumber(isNegative: isNegative, magnitude: magnitude)
    }

    /// Twenty digits may still fit an unsigned number of 64 bits.
    private static func twentyDigitInteger(_ spelling: UnsafeRawBufferPointer, _ isNegative: Bool) -> WholeNumber? {
        var magnitude: UInt64 = 0
        for byte in spelling.dropFirst(isNegative ? 1 : 0) {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            magnitude = sum
        }
        return WholeNumber(isNegative: isNegative, magnitude: magnitude)
    }

    private static func decimal(of spelling: UnsafeRawBufferPointer) -> Decimal {
        var decimal = Decimal()
        var index = 0
        if spelling[0] == UInt8(ascii: "-") {
            decimal.isNegative = true
            index = 1
        }
        var isFraction = false
        while index < spelling.count {
            let byte = spelling[index]
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                decimal.exponent += exponent(spelling, from: index + 1)
                break
            } else {
                add(digit: byte - UInt8(ascii: "0"), isFraction: isFraction, to: &decimal)
            }
            index += 1
        }
        return decimal
    }

    @inline(__always)
    private static func add(digit: UInt8, isFraction: Bool, to decimal: inout Decimal) {
        if decimal.digits < 19 {
            decimal.significand = decimal.significand &* 10 &+ UInt64(digit)
            if decimal.significand != 0 { decimal.digits += 1 }
            if isFraction { decimal.exponent -= 1 }
        } else {
            if digit != 0 { decimal.isInexact = true }
            if !isFraction { decimal.exponent += 1 }
        }
    }

    /// The exponent, held within ±1,000,000: beyond, every double is zero or infinite anyhow.
    private static func exponent(_ spelling: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        let isNegative = spelling[index] == UInt8(ascii: "-")
        if isNegative || spelling[index] == UInt8(ascii: "+") { index += 1 }
        var value = 0
        while index < spelling.count {
            value = min(value * 10 + Int(spelling[index] - UInt8(ascii: "0")), 1_000_000)
            index += 1
        }
        return isNegative ? -value : value
    }

    /// 10⁰ to 10²²: the powers of ten that a double holds exactly.
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
