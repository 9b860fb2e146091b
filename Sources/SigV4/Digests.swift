import COpenSSL

/// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), of OpenSSL.
package enum Digests {
    /// Bytes of a digest.
    package static let count = 32

    /// The digest of bytes. O(bytes).
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: count)
        var written: UInt32 = 0
        let isDone = EVP_Digest(bytes.baseAddress, bytes.count, &digest, &written, EVP_sha256(), nil)
        precondition(isDone == 1 && written == count, "OpenSSL has SHA-256")
        return digest
    }

    /// The digest of bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { sha256($0) } }

    /// The digest of a message under a key.
    package static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: count)
        var written: UInt32 = 0
        let isDone = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &written)
        precondition(isDone != nil && written == count, "OpenSSL has SHA-256")
        return digest
    }

    /// Bytes as small hexadecimal digits.
    package static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
