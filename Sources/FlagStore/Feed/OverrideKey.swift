import DynamoModel
import FlagCore

/// Which override something is about.
struct OverrideKey: Hashable, Sendable {
    let environment: Environment
    let tenant: [UInt8]
    let flagKey: [UInt8]

    init(_ environment: Environment, tenant: [UInt8], flagKey: [UInt8]) {
        self.environment = environment
        self.tenant = tenant
        self.flagKey = flagKey
    }

    /// The same from texts.
    init(_ environment: Environment, tenant: String, flagKey: String) {
        self.init(environment, tenant: Array(tenant.utf8), flagKey: Array(flagKey.utf8))
    }

    /// Where its last valid form is kept.
    var heldKey: TableKey {
        FlagHistoryTable.heldKey(
            environment, tenant: String(decoding: tenant, as: UTF8.self), String(decoding: flagKey, as: UTF8.self))
    }

    /// What an operator is told when its item is not valid.
    func invalid(_ issues: [DefinitionIssue]) -> CacheEvent {
        let key = ItemKey.override(
            environment, tenant: String(decoding: tenant, as: UTF8.self),
            flagKey: String(decoding: flagKey, as: UTF8.self))
        return .invalidItem(partition: key.partition, sort: key.sort, issues: issues)
    }
}
