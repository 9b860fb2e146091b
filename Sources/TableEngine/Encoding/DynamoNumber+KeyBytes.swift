import DynamoModel

extension DynamoNumber {
    private static let negativeSign: UInt8 = 0x7F
    private static let zeroSign: UInt8 = 0x80
    private static let positiveSign: UInt8 = 0x81
    private static let end: UInt8 = 0x00

    /// How many of the bytes belong to the number that they begin with.
    static func keyByteCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let sign = bytes.first, sign != zeroSign else { return min(1, bytes.count) }
        let last = sign == negativeSign ? ~end : end
        // The byte after the sign may be any.
        guard let position = bytes.dropFirst(2).firstIndex(of: last) else { return bytes.count }
        return position + 1
    }

    /// Appends bytes that sort as the numbers do, at most 22.
    ///
    /// Zero is one byte. Else: a sign, the power of ten of the first digit, two digits a byte (each pair plus one, so
    /// that none is zero), and a zero byte. For negative numbers all but the sign is inverted, which turns the order
    /// round. Powers of ten are -130 … 125: they fill one byte exactly.
    func appendKeyBytes(to bytes: inout [UInt8]) {
        guard !isZero else {
            bytes.append(Self.zeroSign)
            return
        }
        let digits = digitCount
        let magnitude = Int(exponent) + digits - 1
        bytes.append(isNegative ? Self.negativeSign : Self.positiveSign)
        let start = bytes.count
        bytes.append(UInt8(magnitude - Self.magnitudeMin))
        // An odd number of digits is filled up with a zero at the end.
        var rest = digits.isMultiple(of: 2) ? coefficient : coefficient * 10
        let pairs = (digits + 1) / 2
        bytes.append(contentsOf: repeatElement(0, count: pairs))
        for index in stride(from: bytes.count - 1, through: bytes.count - pairs, by: -1) {
            bytes[index] = UInt8(rest % 100) + 1
            rest /= 100
        }
        bytes.append(Self.end)
        if isNegative {
            for index in start..<bytes.count { bytes[index] = ~bytes[index] }
        }
    }
}
