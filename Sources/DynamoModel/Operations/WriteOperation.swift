/// One change of an item within an update.
package enum UpdateAction: Sendable, Hashable {
    /// Gives the path a value. Past the end of a list, the value is appended.
    case set(DocumentPath, SetValue)
    /// Takes the value at the path away, if there is one.
    case remove(DocumentPath)
    /// Adds to a number (an absent one counts as zero), or elements to a set.
    case add(DocumentPath, AttributeValue)
    /// Takes elements out of a set; an emptied set goes away.
    case delete(DocumentPath, AttributeValue)
}

/// What a `set` gives. Every path in it reads the item as it was before the update.
package indirect enum SetValue: Sendable, Hashable {
    /// This value.
    case value(AttributeValue)
    /// The value at a path; there must be one.
    case path(DocumentPath)
    /// The value at the path, or else the other.
    case ifNotExists(DocumentPath, SetValue)
    /// The elements of two lists.
    case listAppend(SetValue, SetValue)
    /// The sum of two numbers.
    case plus(SetValue, SetValue)
    /// The difference of two numbers.
    case minus(SetValue, SetValue)
}

/// One operation of a transaction. Each looks at the item as it was before the transaction.
package enum WriteOperation: Sendable {
    /// Stores the item in place of any of the same key, if the condition holds for the old one.
    case put(table: String, item: Item, condition: Condition? = nil)
    /// Removes the item, if the condition holds for it; it is no error when there is none.
    case delete(table: String, key: TableKey, condition: Condition? = nil)
    /// Changes the item, or makes one of the key and the actions, if the condition holds for the old one.
    case update(table: String, key: TableKey, actions: [UpdateAction], condition: Condition? = nil)
    /// Changes nothing, but the transaction happens only if the condition holds.
    case check(table: String, key: TableKey, condition: Condition)

    /// The table that the operation is about.
    package var table: String {
        switch self {
        case .put(let table, _, _), .delete(let table, _, _), .update(let table, _, _, _), .check(let table, _, _):
            table
        }
    }
}

/// What one operation of a transaction did.
package struct WriteOutcome: Sendable, Equatable {
    /// The item before, nil when there was none.
    package let old: Item?
    /// The item afterwards, nil when there is none.
    package let new: Item?

    /// Takes the parts as they are.
    package init(old: Item?, new: Item?) {
        self.old = old
        self.new = new
    }
}
