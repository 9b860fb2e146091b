/// Codewords by which a QR code can be read where some of it cannot (ISO/IEC 18004 annex A): the remainder of a
/// division of polynomials over the field of 256 elements that x⁸ + x⁴ + x³ + x² + 1 makes.
enum ReedSolomon {
    private static let modulus = 0x11D

    /// So many codewords for a block.
    static func remainder(of data: [UInt8], count: Int) -> [UInt8] {
        let divisor = divisor(count)
        var rest = Array(repeating: UInt8(0), count: count)
        for byte in data {
            let factor = byte ^ rest.removeFirst()
            rest.append(0)
            for place in 0..<count { rest[place] ^= product(divisor[place], factor) }
        }
        return rest
    }

    /// (x − 1)(x − 2)(x − 4)…, without its first coefficient, which is 1.
    private static func divisor(_ count: Int) -> [UInt8] {
        var coefficients = Array(repeating: UInt8(0), count: count - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<count {
            for place in 0..<count {
                coefficients[place] = product(coefficients[place], root)
                if place + 1 < count { coefficients[place] ^= coefficients[place + 1] }
            }
            root = product(root, 2)
        }
        return coefficients
    }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var product = 0
        for bit in (0..<8).reversed() {
            product = product << 1 ^ (product >> 7) * modulus
            product ^= Int(right >> UInt8(bit) & 1) * Int(left)
        }
        return UInt8(truncatingIfNeeded: product)
    }
}
