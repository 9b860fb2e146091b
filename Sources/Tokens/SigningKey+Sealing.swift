import Crypto
import FlagCore

extension SigningKey {
    /// The secret half for the store: AES-256-GCM under a key that lies elsewhere, bound to what the key is called.
    ///
    /// - Parameter key: 32 bytes.
    package func sealed(with key: [UInt8]) -> [UInt8]? {
        let box = try? AES.GCM.seal(secret, using: SymmetricKey(data: key), authenticating: Array(id.utf8))
        return box?.combined.map { Array($0) }
    }

    /// A key as it was kept; nil where it was sealed with another key, or changed since.
    package init?(id: String, sealed: [UInt8], with key: [UInt8], createdAt: Timestamp) {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let secret = try? AES.GCM.open(box, using: SymmetricKey(data: key), authenticating: Array(id.utf8))
        else { return nil }
        self.init(id: id, secret: Array(secret), createdAt: createdAt)
    }
}
