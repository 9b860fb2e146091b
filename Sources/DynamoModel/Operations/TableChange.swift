/// One change of one item, as the change stream holds it.
package struct TableChange: Sendable, Equatable {
    /// The position in the stream: higher than that of every change committed before.
    package let sequence: Int64
    /// When it was committed, in milliseconds since 1970, by the clock: lower than that of the change before where the
    /// clock was set back.
    package let committedAt: Int64
    /// Who made it.
    package let principal: Principal
    /// The table.
    package let table: String
    /// The item's key.
    package let key: TableKey
    /// The item before, nil when it is new.
    package let oldItem: Item?
    /// The item afterwards, nil when it was removed.
    package let newItem: Item?

    /// About how many bytes both items take: as they are stored.
    package let bytes: Int

    /// Takes the parts as they are.
    package init(
        sequence: Int64, committedAt: Int64, principal: Principal, table: String, key: TableKey, oldItem: Item?,
        newItem: Item?, bytes: Int
    ) {
        self.sequence = sequence
        self.committedAt = committedAt
        self.principal = principal
        self.table = table
        self.key = key
        self.oldItem = oldItem
        self.newItem = newItem
        self.bytes = bytes
    }
}
