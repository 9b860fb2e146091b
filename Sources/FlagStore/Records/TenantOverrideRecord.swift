import DynamoModel
import FlagCore
import JSON

/// What a flag answers for one tenant, whatever its targeting says, as it is stored.
package struct TenantOverrideRecord: Sendable, Equatable {
    /// The environment of the flag.
    package var environment: Environment
    /// The tenant.
    package var tenant: String
    /// The flag.
    package var flagKey: String
    /// What is answered, and until when.
    package var override: TenantOverride
    /// When it was last set; the epoch when whoever wrote the item did not say.
    package var updatedAt: Timestamp
    /// Who set it; `unknown` when whoever wrote the item did not say.
    package var updatedBy: String
    /// Why.
    package var reason: String?

    /// The override's key.
    package var itemKey: ItemKey { .override(environment, tenant: tenant, flagKey: flagKey) }

    /// Whether both answer the same for the same reason by the same person: all but the time of writing.
    package func hasSameContent(as other: TenantOverrideRecord) -> Bool {
        override == other.override && updatedBy == other.updatedBy && reason == other.reason
    }

    /// The override as the interface shows it.
    package var json: JSONValue {
        var object = JSONObject()
        object["flagKey"] = .string(flagKey)
        object["tenantId"] = .string(tenant)
        object["environment"] = .string(environment.rawValue)
        switch override.choice {
        case .enabled(let enabled): object["enabled"] = .bool(enabled)
        case .variant(let variant): object["variant"] = .string(variant)
        }
        object["updatedAt"] = .string(updatedAt.rfc3339)
        object["updatedBy"] = .string(updatedBy)
        if let reason { object["reason"] = .string(reason) }
        if let expiresAt = override.expiresAt { object["expiresAt"] = .string(expiresAt.rfc3339) }
        return .object(object)
    }
}

extension TenantOverrideRecord {
    /// The override as an item of the table, found by tenant and, in `FlagTable.expiresIndex`, by flag.
    package var item: Item {
        let key = itemKey
        var item: Item = [
            Attribute.partition: .string(key.partition),
            Attribute.sort: .string(key.sort),
            Attribute.expiresPartition: .string(ItemKey.flagPartition(environment, flagKey)),
            Attribute.expiresSort: .string("TENANT#\(tenant)"),
            Attribute.updatedAt: .string(updatedAt.rfc3339),
            Attribute.updatedBy: .string(updatedBy),
        ]
        switch override.choice {
        case .enabled(let enabled): item[Attribute.enabled] = .bool(enabled)
        case .variant(let variant): item[Attribute.variant] = .string(variant)
        }
        if let reason { item[Attribute.reason] = .string(reason) }
        if let expiresAt = override.expiresAt { item[Attribute.expiresAt] = .string(expiresAt.rfc3339) }
        return item
    }

    /// Reads an override's item: the keys and `enabled` or `variant` are required.
    ///
    /// - Throws: everything that keeps the item from being an override, by attribute.
    package init(item: Item) throws(DefinitionIssues) {
        guard case .override(let environment, let tenant, let flagKey)? = ItemKey(item) else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(
                    pointer: "/PK", message: "must be TENANT#{environment}#{tenantId}, and SK FLAG#{flagKey}")
            ])
        }
        try self.init(item: item, environment: environment, tenant: tenant, flagKey: flagKey)
    }

    /// The same for an item whose key has been read.
    init(item: Item, environment: Environment, tenant: String, flagKey: String) throws(DefinitionIssues) {
        var reader = AttributeReader(item)
        let choice = reader.choice()
        let expiresAt = reader.time(Attribute.expiresAt)
        guard reader.issues.isEmpty, let choice else { throw DefinitionIssues(issues: reader.issues) }
        self.init(
            environment: environment, tenant: tenant, flagKey: flagKey,
            override: TenantOverride(choice: choice, expiresAt: expiresAt),
            updatedAt: item[Attribute.updatedAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
                ?? Timestamp(millisecondsSinceEpoch: 0),
            updatedBy: item[Attribute.updatedBy]?.stringValue ?? "unknown",
            reason: item[Attribute.reason]?.stringValue)
    }
}

extension AttributeReader {
    /// What an override chooses; nil when nothing, which is noted.
    fileprivate mutating func choice() -> TenantOverride.Choice? {
        switch (value(Attribute.enabled), value(Attribute.variant)) {
        case (.bool(let enabled)?, nil): return .enabled(enabled)
        case (nil, .string(let variant)?) where !variant.isEmpty: return .variant(variant)
        default:
            report(Attribute.enabled, "must be true or false (BOOL), or else variant the name of a variant")
            return nil
        }
    }
}

/// An override as somebody wants it: the body of a write, checked.
package struct TenantOverrideDraft: Sendable {
    /// The tenant.
    package var tenant: String
    /// The flag.
    package var flagKey: String
    /// What is to be answered, and until when.
    package var override: TenantOverride
    /// Who sets it.
    package var updatedBy: String
    /// Why.
    package var reason: String?
    /// The environment that the sender believes to write to.
    package var environment: Environment?
    /// The time of the last change that the sender read.
    package var updatedAt: Timestamp?

    /// Reads a body `{enabled or variant, updatedBy, reason?, expiresAt?}`; what a read answered may be sent back.
    ///
    /// - Parameters:
    ///   - json: the body.
    ///   - tenant: the tenant that the path names, which the body may then leave out but not contradict.
    ///   - flagKey: the same of the flag.
    ///   - pointer: where the body lies in what was sent.
    /// - Throws: everything that is wrong, unknown members included.
    package init(
        json: JSONValue, tenant: String? = nil, flagKey: String? = nil, at pointer: JSONPointer = JSONPointer()
    ) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an object that describes an override")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        let tenant = reader.identity("tenantId", .tenant, fromPath: tenant)
        let flagKey = reader.identity("flagKey", .flagKey, fromPath: flagKey)
        let choice = reader.choice()
        let expiresAt = reader.time("expiresAt")
        let updatedBy = reader.text("updatedBy", .actor, isRequired: true)
        let reason = reader.text("reason", .reason)
        let environment = reader.environment("environment")
        let updatedAt = reader.time("updatedAt")
        try reader.finish()
        guard let tenant, let flagKey, let choice, let updatedBy else {
            throw DefinitionIssues(issues: reader.issues)
        }
        self.tenant = tenant
        self.flagKey = flagKey
        override = TenantOverride(choice: choice, expiresAt: expiresAt)
        self.updatedBy = updatedBy
        self.reason = reason
        self.environment = environment
        self.updatedAt = updatedAt
    }

    /// What contradicts the environment, or could never hold. A file may bring what has ended: it was exported so.
    func issues(in environment: Environment, at now: Timestamp) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        if let named = self.environment, named != environment { issues.append(.wrongEnvironment(named, environment)) }
        if let expiresAt = override.expiresAt, expiresAt <= now {
            let message = "is past (it is \(now.rfc3339)): the override would never hold; DELETE ends one"
            issues.append(DefinitionIssue(pointer: "/expiresAt", message: message))
        }
        return issues
    }

    /// The override as it is to be stored.
    package func record(in environment: Environment, at now: Timestamp) -> TenantOverrideRecord {
        TenantOverrideRecord(
            environment: environment, tenant: tenant, flagKey: flagKey, override: override, updatedAt: now,
            updatedBy: updatedBy, reason: reason)
    }
}

extension FieldReader {
    /// A name that the path or the body gives, or both if they agree; nil when neither does or it is wrong, which is
    /// noted.
    mutating func identity(_ name: String, _ rule: TextRule, fromPath path: String?) -> String? {
        let text = text(name, rule, isRequired: path == nil)
        guard let path else { return text }
        if let complaint = rule.complaint(about: path) {
            report(name, complaint)
            return nil
        }
        if let text, !text.utf8.elementsEqual(path.utf8) {
            report(name, "must be the one in the path, or be left out")
            return nil
        }
        return path
    }

    /// What an override chooses; nil when nothing, which is noted.
    fileprivate mutating func choice() -> TenantOverride.Choice? {
        let enabled = flag("enabled")
        let variant = text("variant", .variant)
        switch (enabled, variant) {
        case (let enabled?, nil): return .enabled(enabled)
        case (nil, let variant?): return .variant(variant)
        case (nil, nil):
            let isMissing = value("enabled") == nil && value("variant") == nil
            if isMissing { report("enabled", "is required, or else variant with the name of a variant") }
            return nil
        case (_?, _?):
            report("variant", "does not go with enabled: give one of them")
            return nil
        }
    }
}
