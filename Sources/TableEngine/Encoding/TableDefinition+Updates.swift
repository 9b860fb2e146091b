import DynamoModel

extension TableDefinition {
    /// Checks what can be known of an update before the item is read: that it changes no key, makes no index key one of
    /// another type, looks for nothing within a key, and changes no place twice.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    func validate(_ actions: [UpdateAction]) throws(TableError) {
        for key in [schema.partitionKey, schema.sortKey].compactMap(\.self)
        where actions.contains(where: { $0.path.attribute == key.name }) {
            throw .validation(
                "One or more parameter values were invalid: Cannot update attribute \(key.name)."
                    + " This attribute is part of the key")
        }
        for key in indexKeys {
            let attribute = key.attribute
            for action in actions where action.path.steps.isEmpty && action.path.attribute == attribute.name {
                guard let type = action.knownType, type.rawValue != attribute.type.rawValue else { continue }
                throw .validation(
                    "One or more parameter values were invalid: Type mismatch for Index Key \(attribute.name)"
                        + " Expected: \(attribute.type.rawValue) Actual: \(type.rawValue) IndexName: \(key.index)")
            }
        }
        try validateKeysAreScalars(actions.flatMap(\.paths))
        do throws(ExpressionError) {
            try actions.map(\.path).checkDistinct()
        } catch {
            throw ExpressionParameter.update.invalid(error)
        }
    }

    /// Checks that none of the paths looks for something within a key of the table or of an index.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    package func validateKeysAreScalars(_ paths: [DocumentPath]) throws(TableError) {
        let nested = Set(paths.lazy.filter { !$0.steps.isEmpty }.map(\.attribute))
        if nested.isEmpty { return }
        let reason =
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed:"
        for key in [schema.partitionKey, schema.sortKey].compactMap(\.self) where nested.contains(key.name) {
            throw .validation("\(reason) Key: \(key.name)")
        }
        for key in indexKeys.map(\.attribute) where nested.contains(key.name) {
            throw .validation("\(reason) IndexKey: \(key.name)")
        }
    }

    /// Checks an item that an update made: like any item, but a wrong index key is told as the update's. One that the
    /// update does not touch may be wrong: it was there before the index, which has no entry for it.
    ///
    /// - Throws: `validation` with DynamoDB's text (API reference, "TransactWriteItems", has a list of them).
    func validate(_ item: Item, madeBy actions: [UpdateAction], _ limits: TableLimits) throws(TableError) {
        for key in indexKeys where actions.contains(where: { $0.path.attribute == key.attribute.name }) {
            guard let value = item[key.attribute.name] else { continue }
            guard value.type.rawValue == key.attribute.type.rawValue else {
                throw .validation(
                    "The update expression attempted to update the secondary index key to unsupported type")
            }
            guard ItemSize.of(value) <= key.bytesMax(limits) else {
                throw .validation(
                    "The update expression attempted to update the secondary index key beyond allowed size limits")
            }
            if value.isEmptyKey {
                throw .validation(
                    "One or more parameter values are not valid. The update expression attempted to update a secondary"
                        + " index key to a value that is not supported. The AttributeValue for a key attribute cannot"
                        + " contain an empty \(value.typeInWords) value.")
            }
        }
        guard ItemSize.of(item) <= limits.itemBytesMax else {
            throw .validation("Item size to update has exceeded the maximum allowed size")
        }
        try ItemValidation.validate(item, limits)
    }
}

extension UpdateAction {
    /// Every path in the action, its own first.
    var paths: [DocumentPath] { if case .set(let path, let value) = self { [path] + value.paths } else { [path] } }

    /// The type that the action leaves at its path, as far as the action alone tells it.
    fileprivate var knownType: AttributeType? {
        switch self {
        case .set(_, let value): value.knownType
        case .add(_, let value), .delete(_, let value): value.type
        case .remove: nil
        }
    }
}

extension SetValue {
    fileprivate var paths: [DocumentPath] {
        switch self {
        case .value: []
        case .path(let path): [path]
        case .ifNotExists(let path, let other): [path] + other.paths
        case .listAppend(let left, let right), .plus(let left, let right), .minus(let left, let right):
            left.paths + right.paths
        }
    }

    fileprivate var knownType: AttributeType? {
        switch self {
        case .value(let value): value.type
        case .path: nil
        case .ifNotExists(_, let other): other.knownType
        case .listAppend: .list
        case .plus, .minus: .number
        }
    }
}
