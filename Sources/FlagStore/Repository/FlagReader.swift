import Access
import Bytes
import DynamoModel
import FlagCache
import FlagCore
import JSON

/// What one environment has, for somebody who may see it: outside of this target the only way to it. Each function is
/// the repository's of the same name, and blocks as that does.
package struct FlagReader: Sendable {
    let repository: FlagRepository
    /// Who looks, and where.
    package let scope: ReadScope

    fileprivate init(_ repository: FlagRepository, _ scope: ReadScope) {
        self.repository = repository
        self.scope = scope
    }

    /// The environment.
    package var environment: Environment { scope.environment }

    /// How often the environment was changed.
    package func revision() throws(FlagStoreError) -> Int64 { try repository.revision(of: environment) }
}

extension FlagRepository {
    /// What somebody may see.
    package func reader(for scope: ReadScope) -> FlagReader { FlagReader(self, scope) }
}

// MARK: - Flags

extension FlagReader {
    /// A page of the flags.
    package func flags(_ query: FlagQuery = FlagQuery()) throws(FlagStoreError) -> FlagPage {
        try repository.flags(query, in: environment)
    }

    /// A flag.
    package func flag(_ key: String) throws(FlagStoreError) -> FlagRecord { try repository.flag(key, in: environment) }

    /// A flag as it is stored, valid or not; nil when there is none.
    package func flagItem(_ key: String) throws(FlagStoreError) -> Item? {
        try repository.item(.flag(environment, key: key))
    }

    /// Throws unless there is a flag of a key, valid or not.
    package func requireFlag(_ key: String) throws(FlagStoreError) { try repository.requireFlag(key, in: environment) }

    /// Calls `body` with every flag.
    package func forEachFlag(_ body: (FlagRecord) throws(FlagStoreError) -> Void) throws(FlagStoreError) {
        try repository.forEachFlag(in: environment, body)
    }

    /// How a flag decides; nil where that is not valid.
    package func rule(ofFlag key: String) throws(FlagStoreError) -> FlagRule? {
        try repository.rule(ofFlag: key, in: environment)
    }

    /// The flags that require a flag, by key.
    package func dependents(of key: String) throws(FlagStoreError) -> [Dependent] {
        try repository.dependents(of: key, in: environment)
    }

    /// The variants that others require of a flag as it will be, and that it would not have any more.
    package func lostVariants(
        of record: FlagRecord, replacing old: FlagRule, at pointer: JSONPointer, besides others: Set<ExactText>
    ) throws(FlagStoreError) -> [DefinitionIssue] {
        try repository.lostVariants(of: record, replacing: old, at: pointer, besides: others)
    }

    /// The flags whose items are not valid, by key.
    package func invalidFlags(_ query: FlagQuery = FlagQuery()) throws(FlagStoreError) -> [InvalidItem] {
        try repository.invalidFlags(query, in: environment)
    }

    /// How many flags are past their dates.
    package func staleFlagCount(at now: Timestamp) throws(FlagStoreError) -> Int {
        try repository.staleFlagCount(in: environment, at: now)
    }
}

// MARK: - Histories

extension FlagReader {
    /// A page of a history, the newest entries first.
    package func history(
        of subject: HistorySubject, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil,
        where isShown: (FlagHistoryEntry) -> Bool = { _ in true }
    ) throws(FlagStoreError) -> HistoryPage {
        try repository.history(of: subject, in: environment, limit: limit, cursor: cursor, where: isShown)
    }

    /// The entry that made a version, with what was said then.
    package func version(
        _ name: VersionName, of subject: HistorySubject
    ) throws(FlagStoreError) -> FlagHistoryEntry {
        try repository.version(name, of: subject, in: environment)
    }

    /// What something says in a version, or now where none is named.
    package func state(
        _ name: VersionName?, of subject: HistorySubject
    ) throws(FlagStoreError) -> VersionState {
        try repository.state(name, of: subject, in: environment)
    }

    /// Throws unless there is such a thing, valid or not.
    package func require(_ subject: HistorySubject) throws(FlagStoreError) {
        guard try repository.item(subject.itemKey(in: environment)) != nil else { throw .notFound(subject.thing) }
    }
}

// MARK: - Overrides and kill switches

extension FlagReader {
    /// A page of the overrides of one flag, by tenant.
    package func overrides(
        ofFlag key: String, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> OverridePage {
        try repository.overrides(ofFlag: key, in: environment, limit: limit, cursor: cursor)
    }

    /// A page of the overrides of one tenant, by flag key.
    package func overrides(
        ofTenant tenant: String, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> OverridePage {
        try repository.overrides(ofTenant: tenant, in: environment, limit: limit, cursor: cursor)
    }

    /// A tenant's override of a flag.
    package func override(ofTenant tenant: String, flagKey: String) throws(FlagStoreError) -> TenantOverrideRecord {
        try repository.override(ofTenant: tenant, flagKey: flagKey, in: environment)
    }

    /// The items of overrides of this environment, in the same order; nil where there is none.
    package func items(of overrides: [TenantOverrideRecord]) throws(FlagStoreError) -> [Item?] {
        let keys = overrides.map {
            ItemKey.override(environment, tenant: $0.tenant, flagKey: $0.flagKey).tableKey
        }
        return try reading { () throws(TableError) in
            try repository.store.getItems(table: repository.table, keys: keys)
        }
    }

    /// Calls `body` with every override of a flag.
    package func forEachOverride(
        ofFlag key: String, _ body: (TenantOverrideRecord) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) {
        try repository.forEachOverride(ofFlag: key, in: environment, body)
    }

    /// The overrides whose items are not valid: of all flags, of one, or of one tenant.
    package func invalidOverrides(
        ofFlag key: String? = nil, ofTenant tenant: String? = nil
    ) throws(FlagStoreError) -> [InvalidOverride] {
        try repository.invalidOverrides(ofTenant: tenant, ofFlag: key, in: environment)
    }

    /// The kill switches that are on, the global one first.
    package func killSwitches() throws(FlagStoreError) -> [KillSwitchRecord] {
        try repository.killSwitches(in: environment)
    }

    /// Finds for many flags, by their keys, the kill switch that takes each away. What it returns does not block.
    package func killSwitchesOfFlags() throws(FlagStoreError) -> (_ flagKey: String) -> KillSwitchRecord? {
        try repository.killSwitches(ofFlagsIn: environment)
    }

    /// The kill switch that takes a flag away; nil when none does.
    package func killSwitch(of key: String) throws(FlagStoreError) -> KillSwitchRecord? {
        try repository.killSwitch(of: key, in: environment)
    }

    /// The kill switch of one flag alone; nil when that is not on.
    package func ownKillSwitch(of key: String) throws(FlagStoreError) -> KillSwitchRecord? {
        try repository.ownKillSwitch(of: key, in: environment)
    }

    /// How many flags kill switches take away.
    package func killedFlagCount(by killSwitches: DecodedKillSwitches) throws(FlagStoreError) -> Int {
        try repository.killedFlagCount(by: killSwitches, in: environment)
    }
}
