import Bytes
import COpenSSL

/// What is kept in the place of a secret: its HMAC-SHA-256 (RFC 2104) under a key that lies elsewhere, so that whoever
/// reads the store alone can neither use what is there nor try secrets against it.
package struct SecretDigest: Sendable {
    /// Bytes of the server's key.
    package static let keyBytes = 32

    private let key: [UInt8]

    /// Digests under a key.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyBytes, "the server's key has \(Self.keyBytes) bytes")
        self.key = key
    }

    /// The digest of a secret.
    package func digest(of secret: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let isDone = HMAC(EVP_sha256(), key, Int32(key.count), secret, secret.count, &digest, &count)
        precondition(isDone != nil && count == 32, "OpenSSL has SHA-256")
        return Array(digest.prefix(Int(count)))
    }

    /// The secret of an access key, which follows from its identifier, so that it is kept nowhere. 240 bits in 40
    /// characters, as in AWS.
    ///
    /// The key that it is derived by is another one than that of the digests: its label is no secret of an API key.
    func accessKeySecret(of id: String) -> [UInt8] {
        let key = SecretDigest(key: digest(of: Array("flag-server secrets of access keys, 1".utf8)))
        return BinaryText.encode(Array(key.digest(of: Array(id.utf8)).prefix(30)))
    }

    /// A key that follows from the server's, for one purpose: its label is no secret of an API key.
    func derivedKey(_ label: StaticString) -> [UInt8] { digest(of: Array("\(label)".utf8)) }

    /// The key that records of the audit log are sealed with.
    package var auditKey: [UInt8] { derivedKey("flag-server audit log, 1") }

    /// Whether two digests are the same, in a time that does not tell where they differ.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
