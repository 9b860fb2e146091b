/// One change of a table as it is stored: what an item was after it.
struct StoredChange {
    /// The change's place in the change stream of the store.
    let sequence: Int64
    /// When it was committed, in milliseconds since 1970.
    let committedAt: Int64
    /// The bytes of the item's key, without the table's space.
    let key: [UInt8]
    /// The item afterwards, as it is stored; nil when it was removed.
    let content: [UInt8]?

    /// The item afterwards, encoded and not encrypted; nil when it was removed.
    ///
    /// - Parameter prefix: what the keys of its table begin with.
    func item(at prefix: [UInt8], _ seal: ItemSeal) throws(ItemCodecError) -> [UInt8]? {
        guard let content else { return nil }
        return try seal.open(content, at: prefix + key)
    }
}
