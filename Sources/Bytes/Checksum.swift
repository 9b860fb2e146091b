import CZlib

/// CRC-32 with the polynomial of IEEE 802.3 (ISO 3309), as `x-amz-crc32` carries it.
package enum Checksum {
    /// The checksum of bytes.
    package static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
    }

    /// The checksum of bytes.
    package static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32($0) } }
}
