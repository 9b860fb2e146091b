import Bytes
import DynamoModel
import JSON

/// The data keys of a store, or of a backup, as they are stored: each wrapped by the operator's key.
struct KeyRing: Sendable, Equatable {
    /// The name of the operator's key.
    var keeper: String
    /// The data key that items are encrypted with from now on; nil when they are no longer encrypted.
    var current: UInt64?
    /// Whether something in the store may be encrypted, so that it cannot be used without the operator's key.
    var isNeeded = true
    /// The wrapped data keys, by their identifiers. Former ones stay: backups and logs are read with them.
    var wrapped: [UInt64: [UInt8]]

    /// The ring as text.
    var text: String {
        var keys = JSONObject()
        for (id, bytes) in wrapped.sorted(by: { $0.key < $1.key }) {
            keys[DataKey.name(id)] = .string(String(decoding: BinaryText.encode(bytes), as: UTF8.self))
        }
        let value: JSONValue = [
            "keeper": .string(keeper), "current": current.map { .string(DataKey.name($0)) } ?? .null,
            "needed": .bool(isNeeded), "keys": .object(keys),
        ]
        return value.serialized()
    }

    init(keeper: String, current: UInt64?, wrapped: [UInt64: [UInt8]]) {
        (self.keeper, self.current, self.wrapped) = (keeper, current, wrapped)
    }

    /// Reads what `text` writes; nil when it is something else.
    init?(text: String) {
        guard let value = try? JSONValue(parsing: text), let keeper = value["keeper"]?.stringValue,
            let isNeeded = value["needed"]?.boolValue, let keys = value["keys"]?.objectValue
        else { return nil }
        wrapped = [:]
        for member in keys.members {
            guard let id = UInt64(member.key, radix: 16), var text = member.value.stringValue,
                let bytes = text.withUTF8({ try? BinaryText.decode(UnsafeRawBufferPointer($0)) })
            else { return nil }
            wrapped[id] = bytes
        }
        (self.keeper, self.isNeeded) = (keeper, isNeeded)
        current = value["current"]?.stringValue.flatMap { UInt64($0, radix: 16) }
        guard current.map({ wrapped[$0] != nil }) ?? true else { return nil }
    }

    /// The ring with those data keys alone that something is encrypted with.
    func only(_ ids: Set<UInt64>) -> KeyRing {
        var ring = KeyRing(keeper: keeper, current: nil, wrapped: wrapped.filter { ids.contains($0.key) })
        ring.isNeeded = !ring.wrapped.isEmpty
        return ring
    }

    /// The ring as it has to be by the operator's keys.
    ///
    /// - Parameters:
    ///   - ring: the ring as it is; nil where nothing was ever encrypted.
    ///   - opened: what of it can be read with.
    ///   - keys: the operator's keys.
    ///   - rotating: whether another data key is wanted in any case.
    ///   - path: the file, for messages.
    /// - Returns: the ring, and its data keys; nil when it may stay as it is.
    /// - Throws: `storage` where the former data keys would be lost.
    static func renewed(
        _ ring: KeyRing?, _ opened: [UInt64: DataKey], by keys: AtRestKeys, rotating: Bool, in path: String
    ) throws(TableError) -> (ring: KeyRing, keys: [UInt64: DataKey])? {
        guard let keeper = keys.current else {
            guard var ring, ring.current != nil else { return nil }
            ring.current = nil
            return (ring, opened)
        }
        if let ring, ring.keeper == keeper.id, ring.current != nil, !rotating { return nil }
        if let ring, opened.count < ring.wrapped.count { throw .storage(StoreKeys.refusal(ring, keys, path)) }
        let new = DataKey.random()
        let all = opened.merging([new.id: new]) { $1 }
        return (KeyRing(keeper: keeper.id, current: new.id, wrapped: all.compactMapValues(keeper.wrap)), all)
    }

    /// The data keys; nil where one of them cannot be had by the operator's keys.
    func unwrapped(by keys: AtRestKeys) -> [UInt64: DataKey]? {
        guard let key = keys.key(keeper) else { return nil }
        var unwrapped: [UInt64: DataKey] = [:]
        for (id, bytes) in wrapped {
            guard let dataKey = key.unwrap(id, bytes) else { return nil }
            unwrapped[id] = dataKey
        }
        return unwrapped
    }
}
