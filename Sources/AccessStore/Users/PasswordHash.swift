import Access
import Crypto
import CryptoExtras
import FlagCore

/// Digests of passwords by scrypt (RFC 7914): each takes memory and time on purpose, so that whoever has the store
/// tries few a second.
enum PasswordHash {
    private static let digestBytes = 32
    /// RFC 7914 asks for 16 at least.
    private static let saltBytes = 16

    /// What is kept of a password. Takes as long as the cost says.
    ///
    /// - Parameter end: until when it can be used, where it is made for somebody else.
    static func make(
        _ password: String, _ cost: PasswordCost, oneTimeEnd end: Timestamp? = nil
    ) throws(KeyStoreError) -> UserRecord.Password {
        let salt = RandomBytes.make(saltBytes)
        guard let digest = digest(password, salt, cost) else {
            throw .passwordDigest(
                "there is no memory for the digest of a password, which takes "
                    + "\(cost.memoryBytes >> 20) MiB for a moment: try again, or give the server more")
        }
        return UserRecord.Password(digest: digest, salt: salt, cost: cost, oneTimeEnd: end)
    }

    /// Whether a password is the one that is kept. Takes as long as the cost says, whichever it is.
    static func isRight(_ password: String, _ kept: UserRecord.Password) -> Bool {
        guard let digest = digest(password, kept.salt, kept.cost) else { return false }
        return SecretDigest.areEqual(digest, kept.digest)
    }

    /// Nil where there is no memory for it. What it takes is given back to the system when it returns: the allocator
    /// maps blocks of this size by themselves.
    private static func digest(_ password: String, _ salt: [UInt8], _ cost: PasswordCost) -> [UInt8]? {
        let key = try? KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: digestBytes, rounds: cost.rounds,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.map { key in key.withUnsafeBytes { Array($0) } }
    }
}
