/// The checksum CRC-32 of ISO 3309, as zip, PNG and DynamoDB's `x-amz-crc32` have it.
package enum CRC32 {
    /// The checksum of `bytes`, or of more bytes behind those whose checksum is `before`. O(bytes), 8 at a time.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var value = ~before
            var offset = 0
            while bytes.count - offset >= 8 {
                let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) ^ value
                let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
                value =
                    table[1792 | Int(low & 0xFF)] ^ table[1536 | Int(low >> 8 & 0xFF)]
                    ^ table[1280 | Int(low >> 16 & 0xFF)] ^ table[1024 | Int(low >> 24)]
                    ^ table[768 | Int(high & 0xFF)] ^ table[512 | Int(high >> 8 & 0xFF)]
                    ^ table[256 | Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                offset += 8
            }
            while offset < bytes.count {
                value = value >> 8 ^ table[Int((value ^ UInt32(bytes[offset])) & 0xFF)]
                offset += 1
            }
            return ~value
        }
    }

    /// Eight tables of 256: what a byte does to the checksum when 0 to 7 bytes follow it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            tables[byte] = value
        }
        for index in 256..<(8 * 256) {
            let shorter = tables[index - 256]
            tables[index] = shorter >> 8 ^ tables[Int(shorter & 0xFF)]
        }
        return tables
    }()
}
