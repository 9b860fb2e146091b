extension TableSchema {
    /// Checks what DynamoDB asks of a table.
    ///
    /// - Throws: `validation` with what is wrong.
    package func validate() throws(TableError) {
        try Self.validate(name: name, of: "TableName")
        guard indexes.count <= Self.indexesMax else {
            throw .validation("One or more parameter values were invalid: more than \(Self.indexesMax) indexes")
        }
        var types: [AttributeName: KeyType] = [:]
        var names: Set<String> = []
        try Self.collect(partitionKey, sortKey, into: &types)
        for index in indexes {
            try Self.validate(name: index.name, of: "IndexName")
            guard names.insert(index.name).inserted else {
                throw .validation("One or more parameter values were invalid: Duplicate index name: \(index.name)")
            }
            try Self.collect(index.partitionKey, index.sortKey, into: &types)
        }
    }

    /// DynamoDB allows 20 global and 5 local secondary indexes.
    private static let indexesMax = 25

    private static func validate(name: String, of parameter: String) throws(TableError) {
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isAllowed, (3...255).contains(name.utf8.count) else {
            throw .validation("\(parameter) must be 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.': \(name)")
        }
    }

    /// Notes the types of key attributes: one that serves in several keys has one type.
    private static func collect(
        _ partition: KeyAttribute, _ sort: KeyAttribute?, into types: inout [AttributeName: KeyType]
    ) throws(TableError) {
        guard partition.name != sort?.name else {
            throw .validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        }
        for attribute in [partition, sort].compactMap(\.self) {
            guard (1...255).contains(attribute.name.utf8.count) else {
                throw .validation("The name of a key attribute must be 1 to 255 bytes long")
            }
            if let type = types[attribute.name], type != attribute.type {
                throw .validation("The key attribute \(attribute.name) is declared with two types")
            }
            types[attribute.name] = attribute.type
        }
    }
}
