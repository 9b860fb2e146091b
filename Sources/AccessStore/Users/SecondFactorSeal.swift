import Access
import Crypto
import FlagCore

/// What is kept of second factors, under keys that follow from the server's: the store alone tells no secret and no
/// code.
struct SecondFactorSeal {
    private let sealing: SymmetricKey
    private let recovery: SecretDigest

    /// The keys that follow from the server's.
    init(_ digests: SecretDigest) {
        sealing = SymmetricKey(data: digests.derivedKey("flag-server secrets of second factors, 1"))
        recovery = SecretDigest(key: digests.derivedKey("flag-server recovery codes, 1"))
    }

    /// A secret as it is kept: by AES-256-GCM, bound to the account, so that it is that of no other.
    func seal(_ secret: [UInt8], of name: UserName) -> [UInt8]? {
        let box = try? AES.GCM.seal(secret, using: sealing, authenticating: Array(name.text.utf8))
        return (box?.combined).map { Array($0) }
    }

    /// The secret again; nil for what was sealed under another key or for another account.
    func open(_ sealed: [UInt8], of name: UserName) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let secret = try? AES.GCM.open(box, using: sealing, authenticating: Array(name.text.utf8))
        else { return nil }
        return Array(secret)
    }

    /// What is kept of a recovery code.
    ///
    /// - Parameter code: as it is compared.
    func digest(of code: String, of name: UserName) -> [UInt8] {
        recovery.digest(of: Array("\(name.text) \(code)".utf8))
    }

    /// The step that a code is of, if it may be taken now.
    func accept(
        _ code: String, _ factor: UserRecord.SecondFactor, of name: UserName, at now: Timestamp
    ) -> Int64? {
        guard let secret = open(factor.sealedSecret, of: name) else { return nil }
        return TOTP.accept(code, secret, at: now, after: factor.lastStep, Self.mac)
    }

    /// HMAC-SHA-1, which is what apps know. That SHA-1 has collisions does it no harm (RFC 6238 section 1.2).
    static let mac: TOTP.MAC = { key, message in
        Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}
