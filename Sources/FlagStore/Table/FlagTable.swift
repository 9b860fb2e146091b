import DynamoModel

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

    /// How many items those read at a time who read all of them. The memory that a page takes serves for the next one:
    /// a page as large as pages may be takes several MiB, which stay with the process.
    static let pageItems = 100

    /// The table's schema: string keys PK and SK, four indexes that project everything, throughput 25/25, protected
    /// from deletion.
    ///
    /// - Parameter name: the profile's table name.
    package static func schema(named name: String) -> TableSchema {
        func index(_ name: String, _ number: Int) -> IndexSchema {
            IndexSchema(
                name, partitionKey: KeyAttribute(AttributeName("GSI\(number)PK")),
                sortKey: KeyAttribute(AttributeName("GSI\(number)SK")))
        }
        return TableSchema(
            name: name, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"),
            indexes: [index(expiresIndex, 1), index(ownerIndex, 2), index(flagsIndex, 3), index(globalIndex, 4)],
            throughput: Throughput(readUnits: 25, writeUnits: 25), isProtected: true)
    }
}

/// Names of attributes.
package enum Attribute {
    package static let partition: AttributeName = "PK"
    static let sort: AttributeName = "SK"
    static let expiresPartition: AttributeName = "GSI1PK"
    static let expiresSort: AttributeName = "GSI1SK"
    static let ownerPartition: AttributeName = "GSI2PK"
    static let ownerSort: AttributeName = "GSI2SK"
    static let flagsPartition: AttributeName = "GSI3PK"
    static let flagsSort: AttributeName = "GSI3SK"
    static let globalPartition: AttributeName = "GSI4PK"
    static let globalSort: AttributeName = "GSI4SK"

    static let flagKey: AttributeName = "flagKey"
    static let description: AttributeName = "description"
    static let defaultEnabled: AttributeName = "defaultEnabled"
    static let definition: AttributeName = "definition"
    static let keptInvalid: AttributeName = "keptInvalid"
    static let rollout: AttributeName = "rollout"
    static let requires: AttributeName = "requires"
    static let owner: AttributeName = "owner"
    static let environment: AttributeName = "environment"
    static let createdAt: AttributeName = "createdAt"
    static let updatedAt: AttributeName = "updatedAt"
    static let version: AttributeName = "version"
    static let expiresAt: AttributeName = "expiresAt"
    static let tags: AttributeName = "tags"
    static let clientSide: AttributeName = "clientSide"
    static let archived: AttributeName = "archived"
    static let approvals: AttributeName = "approvals"

    static let tenantId: AttributeName = "tenantId"
    static let enabled: AttributeName = "enabled"
    static let variant: AttributeName = "variant"
    static let updatedBy: AttributeName = "updatedBy"
    static let reason: AttributeName = "reason"
    static let activatedAt: AttributeName = "activatedAt"
    static let activatedBy: AttributeName = "activatedBy"
    static let deactivatedAt: AttributeName = "deactivatedAt"
    static let deactivatedBy: AttributeName = "deactivatedBy"
    static let deactivationReason: AttributeName = "deactivationReason"
    static let revision: AttributeName = "revision"

    static let segmentName: AttributeName = "name"
    static let condition: AttributeName = "condition"
}
