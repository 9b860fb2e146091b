/// A schema is stored as an item, in the same form as the items of its table.
extension TableSchema {
    /// The schema as an item.
    package var item: Item {
        var item: Item = [
            "name": .string(name),
            "partitionKey": partitionKey.attributeValue,
            "indexes": .list(indexes.map(\.attributeValue)),
        ]
        if let sortKey { item["sortKey"] = sortKey.attributeValue }
        throughput?.add(to: &item)
        if isProtected { item["isProtected"] = true }
        return item
    }

    /// Reads what `item` writes; nil when it is something else.
    package init?(item: Item) {
        guard let name = item["name"]?.stringValue,
            let partitionKey = item["partitionKey"].flatMap(KeyAttribute.init(attributeValue:)),
            let stored = item["indexes"]?.listValue
        else { return nil }
        let indexes = stored.compactMap(IndexSchema.init(attributeValue:))
        guard indexes.count == stored.count else { return nil }
        self.init(
            name: name, partitionKey: partitionKey,
            sortKey: item["sortKey"].flatMap(KeyAttribute.init(attributeValue:)), indexes: indexes,
            throughput: Throughput(item: item), isProtected: item["isProtected"]?.boolValue ?? false)
    }
}

extension Throughput {
    fileprivate func add(to item: inout Item) {
        item["readUnits"] = .number(readUnits)
        item["writeUnits"] = .number(writeUnits)
    }

    fileprivate init?(item: Item) {
        guard let readUnits = item["readUnits"]?.int64Value, let writeUnits = item["writeUnits"]?.int64Value else {
            return nil
        }
        self.init(readUnits: readUnits, writeUnits: writeUnits)
    }
}

extension KeyAttribute {
    fileprivate var attributeValue: AttributeValue { .list([.string(name.text), .string(type.rawValue)]) }

    fileprivate init?(attributeValue: AttributeValue) {
        guard let parts = attributeValue.listValue, parts.count == 2, let name = parts[0].stringValue,
            let type = parts[1].stringValue.flatMap(KeyType.init(rawValue:))
        else { return nil }
        self.init(AttributeName(name), type)
    }
}

extension IndexSchema {
    fileprivate var attributeValue: AttributeValue {
        var map: Item = ["name": .string(name), "partitionKey": partitionKey.attributeValue]
        if let sortKey { map["sortKey"] = sortKey.attributeValue }
        throughput?.add(to: &map)
        if isLocal { map["isLocal"] = true }
        switch projection {
        case .all: map["projection"] = "ALL"
        case .keysOnly: map["projection"] = "KEYS_ONLY"
        case .include(let names): map["projection"] = .list(names.map { .string($0.text) })
        }
        return .map(map)
    }

    fileprivate init?(attributeValue: AttributeValue) {
        guard let map = attributeValue.mapValue, let name = map["name"]?.stringValue,
            let partitionKey = map["partitionKey"].flatMap(KeyAttribute.init(attributeValue:))
        else { return nil }
        let projection: Projection
        switch map["projection"] {
        case "ALL": projection = .all
        case "KEYS_ONLY": projection = .keysOnly
        case .list(let names): projection = .include(names.compactMap { $0.stringValue.map { AttributeName($0) } })
        default: return nil
        }
        self.init(
            name, partitionKey: partitionKey, sortKey: map["sortKey"].flatMap(KeyAttribute.init(attributeValue:)),
            projection: projection, throughput: Throughput(item: map), isLocal: map["isLocal"]?.boolValue ?? false)
    }
}
