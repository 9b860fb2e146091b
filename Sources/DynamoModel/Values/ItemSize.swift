/// How many bytes DynamoDB counts for items.
///
/// Source: Amazon DynamoDB developer guide, "DynamoDB item sizes and formats". What a number costs is stated there as
/// approximate: one byte for two significant digits, one more, and one for the sign of a negative number.
package enum ItemSize {
    /// The bytes of a whole item: names and values.
    package static func of(_ item: Item) -> Int { members(item) }

    /// The blocks of 4 KB that reading so many bytes takes; nothing found takes one.
    package static func blocks(_ bytes: Int) -> Int { max(1, (bytes + 4095) / 4096) }

    /// The bytes of one value.
    package static func of(_ value: AttributeValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .number(let number): of(number)
        case .binary(let bytes): bytes.count
        case .bool, .null: 1
        case .list(let values): 3 + values.reduce(0) { $0 + 1 + of($1) }
        case .map(let map): 3 + map.count + members(map)
        case .stringSet(let set): set.elements.reduce(0) { $0 + $1.utf8.count }
        case .numberSet(let set): set.elements.reduce(0) { $0 + of($1) }
        case .binarySet(let set): set.elements.reduce(0) { $0 + $1.count }
        }
    }

    private static func members(_ map: Item) -> Int {
        var size = 0
        for (name, value) in map { size += name.utf8.count + of(value) }
        return size
    }

    private static func of(_ number: DynamoNumber) -> Int {
        1 + (number.digitCount + 1) / 2 + (number.isNegative ? 1 : 0)
    }
}
