import Crypto
import DynamoModel
import Platform

/// Encrypts items for the file and reads them again: by AES-256-GCM, each by itself, bound to the key that it is stored
/// under, which begins with the table's number. So no item can be put in the place of another.
///
/// The stored form of an encrypted item is a format byte, the identifier of the data key (8 bytes, the highest first),
/// a nonce (12 bytes), the item encrypted, and a tag (16 bytes). Items that are not encrypted are read as they are, so
/// that a store can be changed from one to the other while it is used.
final class ItemSeal: Sendable {
    private struct State {
        var ring: KeyRing?
        var operators = AtRestKeys.none
        var keys: [UInt64: DataKey] = [:]
        var current: DataKey?
        var nonces = NonceSequence()
    }

    private let state = Locked(State())

    /// The first byte of an encrypted item.
    static let format: UInt8 = 3
    /// What stands before the encrypted bytes.
    private static let headBytes = 1 + 8 + NonceSequence.byteCount
    private static let tagBytes = 16

    /// Reads and writes items that are not encrypted.
    init() {}

    /// Reads what is encrypted under the keys of a ring, and encrypts by its current one.
    ///
    /// - Parameters:
    ///   - ring: the data keys as they are stored; nil for none.
    ///   - keys: what of them can be read with.
    ///   - operators: the operator's keys.
    init(_ ring: KeyRing?, _ keys: [UInt64: DataKey], by operators: AtRestKeys) { adopt(ring, keys, by: operators) }

    /// From now on these are the data keys; see `init`.
    func adopt(_ ring: KeyRing?, _ keys: [UInt64: DataKey], by operators: AtRestKeys) {
        state.withLock { state in
            state.operators = operators
            let current = ring?.current.flatMap { keys[$0] }
            if current?.id != state.current?.id { state.nonces = NonceSequence() }
            (state.ring, state.keys, state.current) = (ring, keys, current)
        }
    }

    /// The data keys as they are stored; nil when there are none.
    var ring: KeyRing? { state.withLock { $0.ring } }

    /// The data keys that can be read with.
    var keys: [UInt64: DataKey] { state.withLock { $0.keys } }

    /// The operator's keys.
    var operators: AtRestKeys { state.withLock { $0.operators } }

    /// Reads what a file holds that has data keys of its own: those of the store are tried first, so that a backup of
    /// before is read by whoever reads the store.
    ///
    /// - Parameters:
    ///   - ring: the file's data keys; nil for none.
    ///   - path: the file, for messages.
    /// - Throws: `storage` when the operator's keys are not those of the file.
    func reader(of ring: KeyRing?, in path: String) throws(TableError) -> ItemSeal {
        let (known, operators) = state.withLock { ($0.keys, $0.operators) }
        guard let ring, !ring.wrapped.keys.allSatisfy({ known[$0] != nil }) else { return self }
        let opened = try StoreKeys.open(ring, by: operators, in: path)
        return ItemSeal(nil, known.merging(opened) { $1 }, by: operators)
    }

    /// The stored form of an item, which is the item itself where nothing is encrypted.
    ///
    /// - Parameters:
    ///   - item: the item, encoded.
    ///   - key: the bytes of its key, with the table's number.
    func seal(_ item: [UInt8], at key: [UInt8]) -> [UInt8] {
        var stored: [UInt8] = []
        let dataKey = state.withLock { state -> SymmetricKey? in
            guard let current = state.current else { return nil }
            stored.reserveCapacity(Self.headBytes + item.count + Self.tagBytes)
            stored.append(Self.format)
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                stored.append(UInt8(truncatingIfNeeded: current.id >> shift))
            }
            state.nonces.appendNext(to: &stored)
            return current.key
        }
        guard let dataKey else { return item }
        guard let nonce = try? AES.GCM.Nonce(data: stored[(Self.headBytes - NonceSequence.byteCount)...]),
            let box = try? AES.GCM.seal(item, using: dataKey, nonce: nonce, authenticating: key)
        else { preconditionFailure("AES-GCM takes every item, a nonce of 12 bytes and a key of 32") }
        stored.append(contentsOf: box.ciphertext)
        stored.append(contentsOf: box.tag)
        return stored
    }

    /// Gives the item that is stored.
    ///
    /// - Parameters:
    ///   - stored: the stored form.
    ///   - key: the bytes of its key, with the table's number.
    ///   - body: receives the item, encoded; not to be used afterwards.
    /// - Throws: `unknownKey`, `damaged` when it is not what was stored there, and what `body` throws.
    func open<Result>(
        _ stored: UnsafeRawBufferPointer, at key: some Collection<UInt8>,
        _ body: (UnsafeRawBufferPointer) throws(ItemCodecError) -> Result
    ) throws(ItemCodecError) -> Result {
        guard stored.first == Self.format else { return try body(stored) }
        guard let id = Self.dataKey(of: stored) else { throw .damaged }
        guard let dataKey = state.withLock({ $0.keys[id]?.key }) else { throw .unknownKey(DataKey.name(id)) }
        let combined = UnsafeRawBufferPointer(rebasing: stored[(Self.headBytes - NonceSequence.byteCount)...])
        guard let box = try? AES.GCM.SealedBox(combined: combined.assumingMemoryBound(to: UInt8.self)),
            let item = try? AES.GCM.open(box, using: dataKey, authenticating: Array(key))
        else { throw .damaged }
        return try Self.read(item, body)
    }

    /// Gives the bytes of a sequence where they lie.
    private static func read<Result>(
        _ bytes: some Sequence<UInt8>, _ body: (UnsafeRawBufferPointer) throws(ItemCodecError) -> Result
    ) throws(ItemCodecError) -> Result {
        let inPlace = bytes.withContiguousStorageIfAvailable { bytes in
            Swift.Result { () throws(ItemCodecError) in try body(UnsafeRawBufferPointer(bytes)) }
        }
        if let inPlace { return try inPlace.get() }
        let copied = Array(bytes).withUnsafeBytes { bytes in
            Swift.Result { () throws(ItemCodecError) in try body(bytes) }
        }
        return try copied.get()
    }

    /// The item that is stored, encoded; see the other `open`.
    func open(_ stored: UnsafeRawBufferPointer, at key: some Collection<UInt8>) throws(ItemCodecError) -> [UInt8] {
        try open(stored, at: key) { (item) throws(ItemCodecError) in [UInt8](item) }
    }

    /// The item that is stored, encoded; see the other `open`.
    func open(_ stored: [UInt8], at key: some Collection<UInt8>) throws(ItemCodecError) -> [UInt8] {
        guard stored.first == Self.format else { return stored }
        let result = stored.withUnsafeBytes { stored in
            Result { () throws(ItemCodecError) in try open(stored, at: key) }
        }
        return try result.get()
    }

    /// The item that is stored; see `open`.
    func item(_ stored: UnsafeRawBufferPointer, at key: some Collection<UInt8>) throws(ItemCodecError) -> Item {
        try open(stored, at: key) { (item) throws(ItemCodecError) in try ItemCodec.decode(item) }
    }

    /// Whether a stored form is as it would be written now: under the current data key, or not encrypted when nothing
    /// is.
    func isCurrent(_ stored: UnsafeRawBufferPointer) -> Bool {
        Self.dataKey(of: stored) == state.withLock { $0.current?.id }
    }

    /// Whether anything is encrypted that is written from now on.
    var isSealing: Bool { state.withLock { $0.current != nil } }

    /// The data key that an item is encrypted with; nil for one that is not, or is damaged.
    static func dataKey(of stored: UnsafeRawBufferPointer) -> UInt64? {
        guard stored.first == format, stored.count >= headBytes + tagBytes else { return nil }
        return stored[1..<9].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
