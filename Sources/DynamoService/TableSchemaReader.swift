import DynamoModel
import JSON

/// Makes a table's schema of a request to create one, checked in DynamoDB's order and words.
struct TableSchemaReader {
    private let request: RequestReader
    private let resources: ResourceNames
    private let isOnDemand: Bool
    /// The types of the attributes, by name.
    let types: [String: KeyType]
    private let definedNames: [String]

    static let invalid = "One or more parameter values were invalid: "

    /// The most global secondary indexes of a table.
    static let indexesMax = 20
    /// The most local secondary indexes of a table.
    private static let localIndexesMax = 5

    init(_ request: RequestReader, _ resources: ResourceNames, isOnDemand: Bool? = nil) {
        self.request = request
        self.resources = resources
        self.isOnDemand = isOnDemand ?? request.isText("BillingMode", "PAY_PER_REQUEST")
        var types: [String: KeyType] = [:]
        var names: [String] = []
        for definition in request.structures("AttributeDefinitions") {
            let name = definition.text("AttributeName") ?? ""
            names.append(name)
            types[name] = definition.text("AttributeType").flatMap(KeyType.init(rawValue:))
        }
        self.types = types
        definedNames = names
    }

    /// The schema that is asked for.
    func schema() throws(ProtocolError) -> TableSchema {
        let throughput = try tableThroughput()
        let keyNames = request.structures("KeySchema").map { $0.text("AttributeName") ?? "" }
        if keyNames.count > definedNames.count {
            throw .validation("Invalid KeySchema: Some index key attribute have no definition")
        }
        try checkDefinedOnce()
        let (partition, sort) = try key(of: request)
        let hasIndexes = request.has("LocalSecondaryIndexes") || request.has("GlobalSecondaryIndexes")
        if !hasIndexes, keyNames.count != definedNames.count {
            throw .validation(
                Self.invalid + "Number of attributes in KeySchema does not exactly match number of attributes defined"
                    + " in AttributeDefinitions")
        }
        let locals = try localIndexes(partition, hasSortKey: sort != nil)
        let indexes = try indexes(beside: locals)
        let schema = TableSchema(
            name: request.tableName, partitionKey: partition, sortKey: sort, indexes: indexes,
            throughput: throughput, isProtected: request.flag("DeletionProtectionEnabled"))
        try checkAllUsed(schema)
        return schema
    }

    /// Checks that no attribute is defined twice.
    private func checkDefinedOnce() throws(ProtocolError) {
        guard let name = definedNames.firstDuplicate else { return }
        throw .validation(Self.invalid + "Duplicate AttributeName in AttributeDefinitions: \(name)")
    }

    /// Checks that no attribute is defined without being part of a key.
    func checkAllUsed(_ schema: TableSchema) throws(ProtocolError) {
        var used = Set([schema.partitionKey, schema.sortKey].compactMap { $0?.name.text })
        for index in schema.indexes {
            used.formUnion([index.partitionKey, index.sortKey].compactMap { $0?.name.text })
        }
        let unused = definedNames.filter { !used.contains($0) }
        guard unused.isEmpty else {
            throw .validation(
                Self.invalid + "Some AttributeDefinitions are not used. AttributeDefinitions: "
                    + "[\(definedNames.joined(separator: ", "))], keys used: [\(used.sorted().joined(separator: ", "))]"
            )
        }
    }

    private func tableThroughput() throws(ProtocolError) -> Throughput? {
        let given = request.structure("ProvisionedThroughput")
        if isOnDemand {
            guard given == nil else { throw Self.throughputWithOnDemand }
            return nil
        }
        guard let given else {
            throw .validation(
                Self.invalid
                    + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
        }
        return try Self.throughput(given)
    }

    static let throughputWithOnDemand = ProtocolError.validation(
        invalid
            + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")

    /// The units in a `ProvisionedThroughput`.
    static func throughput(_ structure: RequestReader) throws(ProtocolError) -> Throughput {
        func units(_ name: StaticString) throws(ProtocolError) -> Int64 {
            let units = structure.number(name) ?? 0
            guard units <= 1_000_000_000_000 else {
                throw .validation("Given value \(units) for \(name) is out of bounds")
            }
            return units
        }
        let read = try units("ReadCapacityUnits")
        return Throughput(readUnits: read, writeUnits: try units("WriteCapacityUnits"))
    }

    /// The local secondary indexes, which divide items as the table does and order them otherwise.
    private func localIndexes(
        _ tablePartition: KeyAttribute, hasSortKey: Bool
    ) throws(ProtocolError) -> [IndexSchema] {
        guard request.has("LocalSecondaryIndexes") else { return [] }
        let structures = request.structures("LocalSecondaryIndexes")
        if structures.isEmpty { throw .validation(Self.invalid + "List of LocalSecondaryIndexes is empty") }
        guard hasSortKey else {
            throw .validation(
                Self.invalid + "Table KeySchema does not have a range key, which is required when specifying a"
                    + " LocalSecondaryIndex")
        }
        var indexes: [IndexSchema] = []
        for structure in structures {
            let name = structure.text("IndexName") ?? ""
            let (partition, sort) = try key(of: structure)
            guard let sort else {
                throw .validation(Self.invalid + "Index KeySchema does not have a range key for index: \(name)")
            }
            guard partition == tablePartition else {
                throw .validation(
                    Self.invalid + "Index KeySchema does not have the same leading hash key as table KeySchema for"
                        + " index: \(name). index hash key: \(partition.name), table hash key: \(tablePartition.name)")
            }
            let projection = try projection(structure.structure("Projection"))
            if indexes.contains(where: { $0.name == name }) {
                throw .validation(Self.invalid + "Duplicate index name: \(name)")
            }
            indexes.append(
                IndexSchema(name, partitionKey: partition, sortKey: sort, projection: projection, isLocal: true))
        }
        guard indexes.count <= Self.localIndexesMax else {
            throw .validation(
                Self.invalid + "Number of LocalSecondaryIndexes exceeds per-table limit of \(Self.localIndexesMax)")
        }
        return indexes
    }

    /// All indexes: the local ones, and the global ones behind them.
    private func indexes(beside locals: [IndexSchema]) throws(ProtocolError) -> [IndexSchema] {
        guard request.has("GlobalSecondaryIndexes") else { return locals }
        let structures = request.structures("GlobalSecondaryIndexes")
        if structures.isEmpty { throw .validation(Self.invalid + "List of GlobalSecondaryIndexes is empty") }
        var indexes = locals
        for structure in structures {
            let index = try index(structure)
            if indexes.contains(where: { $0.name == index.name }) {
                throw .validation(Self.invalid + "Duplicate index name: \(index.name)")
            }
            indexes.append(index)
        }
        guard structures.count <= Self.indexesMax else {
            throw .validation(
                Self.invalid + "GlobalSecondaryIndex count exceeds the per-table limit of \(Self.indexesMax)")
        }
        return indexes
    }

    /// The index that a structure asks for.
    func index(_ structure: RequestReader) throws(ProtocolError) -> IndexSchema {
        let (partition, sort) = try key(of: structure)
        let projection = try projection(structure.structure("Projection"))
        let name = structure.text("IndexName") ?? ""
        let throughput = structure.structure("ProvisionedThroughput")
        if isOnDemand, throughput != nil {
            throw .validation(
                Self.invalid
                    + "ProvisionedThroughput should not be specified for index: \(name) when BillingMode is"
                    + " PAY_PER_REQUEST")
        }
        if !isOnDemand, throughput == nil {
            throw .validation(Self.invalid + "ProvisionedThroughput must be specified for index: \(name)")
        }
        var index = IndexSchema(name, partitionKey: partition, sortKey: sort, projection: projection)
        if let throughput { index.throughput = try Self.throughput(throughput) }
        return index
    }

    private func key(
        of structure: RequestReader
    ) throws(ProtocolError) -> (partition: KeyAttribute, sort: KeyAttribute?) {
        let elements = structure.structures("KeySchema")
        let names = elements.map { $0.text("AttributeName") ?? "" }
        if names.contains(where: { types[$0] == nil }) {
            throw .validation(
                Self.invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: "
                    + "[\(names.joined(separator: ", "))], AttributeDefinitions: "
                    + "[\(definedNames.joined(separator: ", "))]"
            )
        }
        if names.count == 2, names[0] == names[1] {
            throw .validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        }
        guard let first = elements.first, first.isText("KeyType", "HASH") else {
            throw .validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
        }
        if elements.count == 2, !elements[1].isText("KeyType", "RANGE") {
            throw .validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
        }
        let attributes = names.map { KeyAttribute(AttributeName($0), types[$0] ?? .string) }
        return (attributes[0], attributes.count == 2 ? attributes[1] : nil)
    }

    private func projection(_ structure: RequestReader?) throws(ProtocolError) -> Projection {
        let type = structure?.text("ProjectionType")
        let included = structure?.texts("NonKeyAttributes")
        guard let type else { throw .validation(Self.invalid + "Unknown ProjectionType: null") }
        if included != nil, type != "INCLUDE" {
            throw .validation(
                Self.invalid + "ProjectionType is \(type), but NonKeyAttributes is specified")
        }
        switch type {
        case "ALL": return .all
        case "KEYS_ONLY": return .keysOnly
        default:
            guard let included else {
                throw .validation(Self.invalid + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
            }
            if let name = included.firstDuplicate {
                throw .validation(Self.invalid + "Duplicate value in attribute name: \(name)")
            }
            return .include(included.map { AttributeName($0) })
        }
    }
}

extension [String] {
    /// The first text that is there a second time.
    fileprivate var firstDuplicate: String? {
        var seen: Set<String> = []
        return first { !seen.insert($0).inserted }
    }
}
