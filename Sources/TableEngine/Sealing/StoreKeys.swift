import DynamoModel

/// Whether the operator's keys are those of a store, and what they open.
enum StoreKeys {
    /// The data keys of a ring that the operator's keys open. None for a ring that is not needed any more and whose key
    /// was put away.
    ///
    /// - Parameter path: the file that the ring is in, for messages.
    /// - Throws: `storage` of kind `encrypted`, with what is wrong and what to do.
    static func open(_ ring: KeyRing?, by keys: AtRestKeys, in path: String) throws(TableError) -> [UInt64: DataKey] {
        guard let ring else { return [:] }
        if let opened = ring.unwrapped(by: keys) { return opened }
        if keys.key(ring.keeper) != nil {
            throw .storage(
                StorageFailure(
                    kind: .corrupt, reason: "cannot open \(path): its encrypted data keys are damaged",
                    hint: "Keep a copy of the file, and restore the last backup"))
        }
        if !ring.isNeeded { return [:] }
        throw .storage(refusal(ring, keys, path))
    }

    /// Why a file cannot be read with these keys.
    static func refusal(_ ring: KeyRing, _ keys: AtRestKeys, _ path: String) -> StorageFailure {
        let given = keys == .none ? "no key is given" : "the key that is given is another one (\(keys.names))"
        return StorageFailure(
            kind: .encrypted,
            reason: "cannot open \(path): the items in it are encrypted by the key \(ring.keeper), and \(given)",
            hint: "Give the file of that key in at-rest.key, or in at-rest.former-key beside the key that takes its "
                + "place (systemd: LoadCredential=at-rest.key:FILE). Without it the items cannot be read by anybody. "
                + "Nothing was changed")
    }
}
