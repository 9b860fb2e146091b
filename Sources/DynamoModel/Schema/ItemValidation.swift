/// What DynamoDB asks of every item, whatever its table.
package enum ItemValidation {
    /// Checks names, sets, nesting and size of an item.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    package static func validate(_ item: Item, _ limits: TableLimits) throws(TableError) {
        for (name, value) in item {
            try validate(name: name)
            try validate(value, depth: 0, limits)
        }
        guard ItemSize.of(item) <= limits.itemBytesMax else {
            throw .validation("Item size has exceeded the maximum allowed size")
        }
    }

    /// Checks the length of an attribute's name.
    ///
    /// - Throws: `validation`.
    static func validate(name: AttributeName) throws(TableError) {
        if name.utf8.isEmpty { throw .validation("One or more parameter values were invalid: Empty attribute name") }
        guard name.utf8.count <= nameBytesMax else {
            throw .validation(
                "One or more parameter values were invalid: Attribute name is too large, must be at most"
                    + " \(nameBytesMax) bytes")
        }
    }

    private static let nameBytesMax = 65_535

    private static func validate(_ value: AttributeValue, depth: Int, _ limits: TableLimits) throws(TableError) {
        switch value {
        case .list(let values):
            guard depth < limits.nestingMax else { throw tooDeep }
            for value in values { try validate(value, depth: depth + 1, limits) }
        case .map(let members):
            guard depth < limits.nestingMax else { throw tooDeep }
            for value in members.values { try validate(value, depth: depth + 1, limits) }
        case .stringSet(let set) where set.isEmpty: throw emptySet("string")
        case .numberSet(let set) where set.isEmpty: throw emptySet("number")
        case .binarySet(let set) where set.isEmpty: throw emptySet("binary")
        default: break
        }
    }

    private static let tooDeep = TableError.validation(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported"
            + " limit"
    )

    private static func emptySet(_ kind: String) -> TableError {
        .validation("One or more parameter values were invalid: An \(kind) set  may not be empty")
    }
}

extension AttributeValue {
    /// Whether this is an empty string or binary value, which no key may be.
    package var isEmptyKey: Bool {
        switch self {
        case .string(let text): text.utf8.isEmpty
        case .binary(let bytes): bytes.isEmpty
        default: false
        }
    }

    /// The value's type in messages about empty keys.
    package var typeInWords: String { if case .binary = self { "binary" } else { "string" } }
}
