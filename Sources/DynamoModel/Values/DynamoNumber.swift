/// An exact decimal number within DynamoDB's bounds: at most 38 significant digits and a magnitude of zero or
/// 1e-130 … 9.9999999999999999999999999999999999999e125.
///
/// The value is ±`coefficient` × 10^`exponent` in one canonical form (no trailing zero in the coefficient, no negative
/// zero), so that equal values are equal members. Source: Amazon DynamoDB developer guide, "Supported data types and
/// naming rules", Number.
package struct DynamoNumber: Sendable, Hashable {
    // Two halves instead of a `UInt128`, whose alignment of 16 would make every attribute value 32 bytes.
    private let coefficientHigh: UInt64
    private let coefficientLow: UInt64
    /// The power of ten that the coefficient is multiplied by.
    package let exponent: Int16
    /// Whether the value is below zero.
    package let isNegative: Bool

    /// The most significant digits that a number may have.
    package static let digitsMax = 38
    /// The largest power of ten of the first digit: 9.99…e125.
    static let magnitudeMax = 125
    /// The smallest power of ten of the first digit: 1e-130.
    package static let magnitudeMin = -130

    /// Zero.
    package static let zero = DynamoNumber(0)

    /// A whole number.
    package init(_ value: Int64) {
        var coefficient = value.magnitude
        var exponent: Int16 = 0
        while coefficient != 0, coefficient.isMultiple(of: 10) {
            coefficient /= 10
            exponent += 1
        }
        self.init(canonical: UInt128(coefficient), exponent: exponent, isNegative: value < 0)
    }

    /// The number ±`coefficient` × 10^`exponent`, brought to canonical form.
    ///
    /// - Throws: `tooManyDigits`, `overflow` or `underflow` when DynamoDB could not hold it.
    package init(isNegative: Bool, coefficient: UInt128, exponent: Int) throws(DynamoNumberError) {
        guard coefficient != 0 else {
            self.init(canonical: 0, exponent: 0, isNegative: false)
            return
        }
        var coefficient = coefficient
        var exponent = exponent
        while coefficient.isMultiple(of: 10) {
            coefficient /= 10
            exponent += 1
        }
        let digits = Self.digitCount(of: coefficient)
        guard digits <= Self.digitsMax else { throw .tooManyDigits }
        let magnitude = exponent + digits - 1
        guard magnitude <= Self.magnitudeMax else { throw .overflow }
        guard magnitude >= Self.magnitudeMin else { throw .underflow }
        self.init(canonical: coefficient, exponent: Int16(exponent), isNegative: isNegative)
    }

    /// Takes over members that are known to be canonical and within bounds.
    private init(canonical coefficient: UInt128, exponent: Int16, isNegative: Bool) {
        coefficientHigh = UInt64(truncatingIfNeeded: coefficient >> 64)
        coefficientLow = UInt64(truncatingIfNeeded: coefficient)
        self.exponent = exponent
        self.isNegative = isNegative
    }

    /// The significant digits as one whole number without trailing zeros.
    package var coefficient: UInt128 { UInt128(coefficientHigh) << 64 | UInt128(coefficientLow) }

    /// Whether the value is zero.
    package var isZero: Bool { coefficientHigh == 0 && coefficientLow == 0 }

    /// How many significant digits there are; 1 for zero.
    package var digitCount: Int { Self.digitCount(of: coefficient) }

    /// The value when it is whole and fits 64 bits, else nil.
    package var int64: Int64? {
        guard exponent >= 0, exponent <= 19, coefficientHigh == 0 else { return nil }
        var magnitude = coefficientLow
        for _ in 0..<exponent {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            magnitude = product
        }
        if isNegative {
            return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
        return Int64(exactly: magnitude)
    }

    /// The nearest double.
    package var double: Double { Double(scientific) ?? 0 }

    /// How many decimal digits `value` is written with.
    static func digitCount(of value: UInt128) -> Int {
        var count = 1
        var rest = value / 10
        while rest != 0 {
            rest /= 10
            count += 1
        }
        return count
    }
}

/// Why a number is not one that DynamoDB can hold. The descriptions are DynamoDB's own sentences.
package enum DynamoNumberError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is no decimal number.
    case notANumber(String)
    /// More than 38 significant digits.
    case tooManyDigits
    /// The magnitude is above 9.99…e125.
    case overflow
    /// The magnitude is below 1e-130 and not zero.
    case underflow

    package var description: String {
        switch self {
        case .notANumber(let text): "The parameter cannot be converted to a numeric value: \(text)"
        case .tooManyDigits: "Attempting to store more than 38 significant digits in a Number"
        case .overflow:
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        case .underflow:
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        }
    }
}

extension DynamoNumber: Comparable {
    package static func < (left: DynamoNumber, right: DynamoNumber) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.isCloserToZero(than: left) : left.isCloserToZero(than: right)
    }

    /// Whether the magnitude is strictly smaller than that of `other`.
    private func isCloserToZero(than other: DynamoNumber) -> Bool {
        if isZero || other.isZero { return isZero && !other.isZero }
        let digits = digitCount
        let otherDigits = other.digitCount
        let magnitude = Int(exponent) + digits
        let otherMagnitude = Int(other.exponent) + otherDigits
        if magnitude != otherMagnitude { return magnitude < otherMagnitude }
        // The first digits have the same weight: with equally many digits the coefficients decide.
        let shift = digits - otherDigits
        return shift >= 0
            ? coefficient < other.coefficient * Self.powerOfTen(shift)
            : coefficient * Self.powerOfTen(-shift) < other.coefficient
    }

    /// 10^`power` for a power of 0 … 38.
    static func powerOfTen(_ power: Int) -> UInt128 {
        var result: UInt128 = 1
        for _ in 0..<power { result *= 10 }
        return result
    }
}
