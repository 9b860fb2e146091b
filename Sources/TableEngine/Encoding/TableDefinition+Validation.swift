import DynamoModel

extension TableDefinition {
    /// Checks a key that was given by itself.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    func validate(_ key: TableKey, _ limits: TableLimits) throws(TableError) {
        try validateTypes(key)
        try validate(key.partition, ofKeyPart: schema.partitionKey, isPartition: true, limits)
        if let sortKey = schema.sortKey, let sort = key.sort {
            try validate(sort, ofKeyPart: sortKey, isPartition: false, limits)
        }
    }

    /// Checks that the parts of a key are there, and of their types.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    package func validateTypes(_ key: TableKey) throws(TableError) {
        guard (key.sort == nil) == (schema.sortKey == nil),
            key.partition.type.rawValue == schema.partitionKey.type.rawValue,
            key.sort?.type.rawValue == schema.sortKey?.type.rawValue
        else { throw .validation("The provided key element does not match the schema") }
    }

    /// Checks a value of a key that was given by itself.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    func validate(
        _ value: AttributeValue, ofKeyPart attribute: KeyAttribute, isPartition: Bool, _ limits: TableLimits
    ) throws(TableError) {
        guard value.type.rawValue == attribute.type.rawValue else {
            throw .validation("The provided key element does not match the schema")
        }
        if value.isEmptyKey {
            throw .validation(
                "\(Self.invalid): The AttributeValue for a key attribute cannot contain an empty \(value.typeInWords)"
                    + " value. Key: \(attribute.name)")
        }
        try validateSize(value, isPartition: isPartition, limits)
    }

    /// Checks an item that is about to be stored: its key, the keys of the indexes, its values and its size.
    ///
    /// - Returns: the item's key.
    /// - Throws: `validation` with DynamoDB's text.
    package func validate(_ item: Item, _ limits: TableLimits) throws(TableError) -> TableKey {
        let partition = try keyValue(schema.partitionKey, of: item, isPartition: true, limits)
        var sort: AttributeValue?
        if let sortKey = schema.sortKey { sort = try keyValue(sortKey, of: item, isPartition: false, limits) }
        for key in indexKeys { try validate(key, of: item, limits) }
        try ItemValidation.validate(item, limits)
        return TableKey(partition, sort)
    }

    private func keyValue(
        _ attribute: KeyAttribute, of item: Item, isPartition: Bool, _ limits: TableLimits
    ) throws(TableError) -> AttributeValue {
        guard let value = item[attribute.name] else {
            throw .validation("\(Self.invalid): Missing the key \(attribute.name) in the item")
        }
        guard value.type.rawValue == attribute.type.rawValue else {
            throw .validation(
                "\(Self.invalid): Type mismatch for key \(attribute.name) expected: \(attribute.type.rawValue)"
                    + " actual: \(value.type.rawValue)")
        }
        if value.isEmptyKey {
            throw .validation(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
                    + " empty \(value.typeInWords) value. Key: \(attribute.name)")
        }
        try validateSize(value, isPartition: isPartition, limits)
        return value
    }

    private func validate(_ key: IndexKey, of item: Item, _ limits: TableLimits) throws(TableError) {
        let attribute = key.attribute
        guard let value = item[attribute.name] else { return }
        guard value.type.rawValue == attribute.type.rawValue else {
            throw .validation(
                "\(Self.invalid): Type mismatch for Index Key \(attribute.name) Expected: \(attribute.type.rawValue)"
                    + " Actual: \(value.type.rawValue) IndexName: \(key.index)")
        }
        if value.isEmptyKey {
            throw .validation(
                "One or more parameter values are not valid. A value specified for a secondary index key is not"
                    + " supported. The AttributeValue for a key attribute cannot contain an empty"
                    + " \(value.typeInWords) value. IndexName: \(key.index), IndexKey: \(attribute.name)")
        }
        let size = ItemSize.of(value)
        let sizeMax = key.bytesMax(limits)
        guard size <= sizeMax else {
            throw .validation(
                "\(Self.invalid): Size limit exceeded for Index Key \(attribute.name) Actual Size: \(size) bytes"
                    + " Max Size: \(sizeMax) bytes IndexName: \(key.index)")
        }
    }

    private func validateSize(
        _ value: AttributeValue, isPartition: Bool, _ limits: TableLimits
    ) throws(TableError) {
        let size = ItemSize.of(value)
        if isPartition, size > limits.partitionKeyBytesMax {
            throw .validation(
                "\(Self.invalid): Size of hashkey has exceeded the maximum size limit of"
                    + "\(limits.partitionKeyBytesMax) bytes")
        }
        if !isPartition, size > limits.sortKeyBytesMax {
            throw .validation(
                "\(Self.invalid): Aggregated size of all range keys has exceeded the size limit of"
                    + " \(limits.sortKeyBytesMax) bytes")
        }
    }

    private static let invalid = "One or more parameter values were invalid"
}

/// An attribute as part of the key of an index.
struct IndexKey {
    /// The index.
    let index: String
    let attribute: KeyAttribute
    /// Whether it groups the index's entries; else it orders them.
    let isPartition: Bool

    /// The most bytes that its values may have.
    func bytesMax(_ limits: TableLimits) -> Int { isPartition ? limits.partitionKeyBytesMax : limits.sortKeyBytesMax }
}

extension TableDefinition {
    /// The key attributes of all indexes.
    var indexKeys: [IndexKey] {
        indexes.flatMap { index in
            let partition = IndexKey(
                index: index.schema.name, attribute: index.schema.partitionKey, isPartition: true)
            let sort = index.schema.sortKey.map {
                IndexKey(index: index.schema.name, attribute: $0, isPartition: false)
            }
            return [partition] + [sort].compactMap(\.self)
        }
    }
}
