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
}
