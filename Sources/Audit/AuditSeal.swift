import Bytes
import Crypto

/// What records are chained with: each one's mark is a digest of the mark before it and of its own bytes, under a key.
///
/// Whoever can write the store and does not have the key can change no record so that the marks behind it fit. Whoever
/// has both can write another chain; that it is another one shows by any mark that was kept elsewhere.
package struct AuditSeal: Sendable {
    private let key: SymmetricKey
    /// What tells one key from another, and says nothing of it.
    package let keyID: String

    /// Bytes of a mark.
    package static let markBytes = 32
    /// What stands in the place of the mark before the first record.
    package static let origin = [UInt8](repeating: 0, count: markBytes)

    /// Seals with a key of 32 bytes.
    package init(key: [UInt8]) {
        self.key = SymmetricKey(data: key)
        keyID = Self.text(
            Array(HMAC<SHA256>.authenticationCode(for: Array("audit key".utf8), using: self.key).prefix(8)))
    }

    /// The mark of a record.
    ///
    /// - Parameters:
    ///   - bytes: the record as it is stored.
    ///   - mark: that of the record before it.
    package func mark(of bytes: some Sequence<UInt8>, after mark: [UInt8]) -> [UInt8] {
        var code = HMAC<SHA256>(key: key)
        code.update(data: mark)
        if bytes.withContiguousStorageIfAvailable({ code.update(data: UnsafeRawBufferPointer($0)) }) == nil {
            code.update(data: Array(bytes))
        }
        return Array(code.finalize())
    }

    /// The seal of something that is no record: under a label, so that none is taken for another.
    package func seal(_ label: StaticString, _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("\(label)\n\(text)".utf8), using: key))
    }

    /// The digest (SHA-256) of bytes, as text.
    package static func digest(of bytes: [UInt8]) -> String { text(Array(SHA256.hash(data: bytes))) }

    /// Bytes as text.
    package static func text(_ bytes: [UInt8]) -> String { URLSafeText.text(of: bytes) }
}
