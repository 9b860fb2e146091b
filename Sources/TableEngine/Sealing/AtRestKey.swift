import Crypto

/// The key that the operator keeps: it encrypts the data keys of a store, and those encrypt the items. So it can be
/// exchanged without touching what is stored.
package struct AtRestKey: Sendable, Equatable {
    /// How many bytes a key has.
    package static let byteCount = 32

    /// What the key is called in messages and in the store: 16 hexadecimal digits that follow from it and tell nothing
    /// of it.
    package let id: String
    private let wrapping: SymmetricKey

    /// The key that these bytes are; nil unless there are 32 of them.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        // What is derived for one use tells nothing about what is derived for the other (RFC 5869).
        let root = SymmetricKey(data: bytes)
        func derived(_ use: String, _ count: Int) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Array(use.utf8), outputByteCount: count)
        }
        wrapping = derived("flag-server data keys at rest, 1", 32)
        id = derived("flag-server name of a key at rest, 1", 8).withUnsafeBytes { bytes in
            DataKey.name(bytes.reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    /// The form in which a data key is stored.
    func wrap(_ key: DataKey) -> [UInt8]? {
        let bytes = key.key.withUnsafeBytes { Array($0) }
        let box = try? AES.GCM.seal(bytes, using: wrapping, authenticating: Array(DataKey.name(key.id).utf8))
        return (box?.combined).map { Array($0) }
    }

    /// The data key again; nil for what another key has wrapped, or another data key.
    func unwrap(_ id: UInt64, _ wrapped: [UInt8]) -> DataKey? {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped),
            let bytes = try? AES.GCM.open(box, using: wrapping, authenticating: Array(DataKey.name(id).utf8)),
            bytes.count == Self.byteCount
        else { return nil }
        return DataKey(id: id, key: SymmetricKey(data: bytes))
    }
}

/// The keys that the operator gives: the one that holds, and one that did before.
package struct AtRestKeys: Sendable, Equatable {
    /// By this one data keys are wrapped from now on; nil for none: then what is written is not encrypted.
    package let current: AtRestKey?
    /// By this one those may be wrapped that there are.
    package let former: AtRestKey?

    /// Takes the keys as they are.
    package init(current: AtRestKey?, former: AtRestKey? = nil) {
        self.current = current
        self.former = former
    }

    /// No keys.
    package static let none = AtRestKeys(current: nil)

    /// The key of a name; nil when it is not among them.
    func key(_ id: String) -> AtRestKey? { [current, former].compactMap(\.self).first { $0.id == id } }

    /// Their names, for messages.
    var names: String {
        let names = [current, former].compactMap { $0?.id }
        return names.isEmpty ? "none" : names.joined(separator: " and ")
    }
}
