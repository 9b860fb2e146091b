import DynamoTable

/// The one table that flags, overrides, kill switches and revisions share: its schema and the names in it.
package enum FlagTable {
    /// The index of flags by expiry date, and of the overrides of one flag.
    package static let expiresIndex = "GSI1-EXPIRES-INDEX"
    /// The index of the flags of one owner.
    package static let ownerIndex = "GSI2-OWNER-INDEX"
    /// The index of all flags of an environment by creation time.
    package static let flagsIndex = "GSI3-FLAGS-INDEX"
    /// The index of one flag across environments.
    package static let globalIndex = "GSI4-GLOBAL-INDEX"

    /// The table's schema: string keys PK and SK, four indexes that project everything, throughput 25/25.
    ///
    /// - Parameter name: the profile's table name.
    package static func schema(named name: String) -> TableSchema {
        func index(_ name: String, _ number: Int) -> IndexSchema {
            IndexSchema(
                name, partitionKey: KeyAttribute("GSI\(number)PK"), sortKey: KeyAttribute("GSI\(number)SK"))
        }
        return TableSchema(
            name: name, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"),
            indexes: [index(expiresIndex, 1), index(ownerIndex, 2), index(flagsIndex, 3), index(globalIndex, 4)],
            throughput: Throughput(readUnits: 25, writeUnits: 25))
    }
}

/// Names of attributes.
enum Attribute {
    static let partition = "PK"
    static let sort = "SK"
    static let expiresPartition = "GSI1PK"
    static let expiresSort = "GSI1SK"
    static let ownerPartition = "GSI2PK"
    static let ownerSort = "GSI2SK"
    static let flagsPartition = "GSI3PK"
    static let flagsSort = "GSI3SK"
    static let globalPartition = "GSI4PK"
    static let globalSort = "GSI4SK"

    static let flagKey = "flagKey"
    static let description = "description"
    static let defaultEnabled = "defaultEnabled"
    static let definition = "definition"
    static let keptInvalid = "keptInvalid"
    static let rollout = "rollout"
    static let requires = "requires"
    static let owner = "owner"
    static let environment = "environment"
    static let createdAt = "createdAt"
    static let updatedAt = "updatedAt"
    static let version = "version"
    static let expiresAt = "expiresAt"
    static let tags = "tags"

    static let tenantId = "tenantId"
    static let enabled = "enabled"
    static let variant = "variant"
    static let updatedBy = "updatedBy"
    static let reason = "reason"
    static let activatedAt = "activatedAt"
    static let activatedBy = "activatedBy"
    static let revision = "revision"
}
