extension DynamoNumber {
    /// The exact sum.
    ///
    /// - Throws: when it has more than 38 digits or lies out of range; nothing is ever rounded.
    package func adding(_ other: DynamoNumber) throws(DynamoNumberError) -> DynamoNumber {
        if isZero { return other }
        if other.isZero { return self }
        let scale = min(exponent, other.exponent)
        let left = try scaledCoefficient(to: scale)
        let right = try other.scaledCoefficient(to: scale)
        if isNegative == other.isNegative {
            let (sum, overflow) = left.addingReportingOverflow(right)
            guard !overflow else { throw .tooManyDigits }
            return try DynamoNumber(isNegative: isNegative, coefficient: sum, exponent: Int(scale))
        }
        return left >= right
            ? try DynamoNumber(isNegative: isNegative, coefficient: left - right, exponent: Int(scale))
            : try DynamoNumber(isNegative: other.isNegative, coefficient: right - left, exponent: Int(scale))
    }

    /// The exact difference.
    ///
    /// - Throws: when it has more than 38 digits or lies out of range; nothing is ever rounded.
    package func subtracting(_ other: DynamoNumber) throws(DynamoNumberError) -> DynamoNumber {
        try adding(other.negated)
    }

    /// The number of opposite sign.
    package var negated: DynamoNumber {
        guard !isZero else { return self }
        // Canonical and in range as this number is, so this cannot throw.
        return (try? DynamoNumber(isNegative: !isNegative, coefficient: coefficient, exponent: Int(exponent))) ?? self
    }

    /// The coefficient that this value has with the smaller exponent `scale`.
    ///
    /// - Throws: `tooManyDigits` when it does not fit 128 bits. The sum would then have more than 38 digits too: what
    ///   is added has `scale` as its own exponent, so the last digit of the sum is not zero, and subtracting at most
    ///   10^38 from more than 3.4 × 10^38 leaves 39 digits.
    private func scaledCoefficient(to scale: Int16) throws(DynamoNumberError) -> UInt128 {
        var result = coefficient
        for _ in scale..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            guard !overflow else { throw .tooManyDigits }
            result = product
        }
        return result
    }
}
