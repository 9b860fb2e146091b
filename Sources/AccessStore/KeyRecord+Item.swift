import Access
import DynamoModel
import FlagCore

extension KeyRecord {
    private enum Name {
        static let kind: AttributeName = "kind"
        static let name: AttributeName = "name"
        static let environment: AttributeName = "environment"
        static let roles: AttributeName = "roles"
        static let tenant: AttributeName = "tenantId"
        static let rate: AttributeName = "rate"
        static let createdAt: AttributeName = "createdAt"
        static let createdBy: AttributeName = "createdBy"
        static let expiresAt: AttributeName = "expiresAt"
        static let secrets: AttributeName = "secrets"
        static let digest: AttributeName = "digest"
        static let until: AttributeName = "until"
        static let lastUsed: AttributeName = "lastUsed"
    }

    /// The key as an item of the table.
    var item: Item {
        var item: Item = [
            AccessTable.partition: .string(AccessTable.keys), AccessTable.sort: .string(selector),
            Name.kind: .string(kind.rawValue), Name.name: .string(name), Name.createdAt: .string(createdAt.rfc3339),
            Name.createdBy: .string(createdBy),
            Name.roles: .list(roles.map { .string($0.rawValue) }),
            Name.secrets: .list(
                secrets.map { secret in
                    var map: Item = [Name.digest: .binary(secret.digest)]
                    map[Name.until] = secret.until.map { .string($0.rfc3339) }
                    return .map(map)
                }),
        ]
        item[Name.environment] = environment.map { .string($0.rawValue) }
        item[Name.tenant] = tenantID.map { .string($0) }
        item[Name.rate] = rate.map { .string($0.text) }
        item[Name.expiresAt] = expiresAt.map { .string($0.rfc3339) }
        revocation?.add(to: &item)
        item[Name.lastUsed] = lastUsed.map { .string($0) }
        return item
    }

    /// Reads a key's item; nil when it is none. What is not whole is no key: nobody comes in by it.
    init?(item: Item) {
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        func time(_ name: AttributeName) -> Timestamp? { text(name).flatMap { Timestamp(rfc3339: $0) } }
        guard text(AccessTable.partition) == AccessTable.keys, let selector = text(AccessTable.sort),
            let kind = text(Name.kind).flatMap(KeyKind.init(rawValue:)), let name = text(Name.name),
            let createdAt = time(Name.createdAt), let createdBy = text(Name.createdBy),
            let roles = item[Name.roles]?.listValue, let secrets = item[Name.secrets]?.listValue
        else { return nil }
        let environment = text(Name.environment).map { Environment(rawValue: $0) }
        if case .some(nil) = environment { return nil }
        if item[Name.expiresAt] != nil, time(Name.expiresAt) == nil { return nil }
        // A bound that cannot be read is no reason to ask without one.
        if item[Name.tenant] != nil, text(Name.tenant) == nil { return nil }
        if item[Name.rate] != nil, text(Name.rate).flatMap({ RequestRate($0) }) == nil { return nil }
        let known = roles.compactMap { $0.stringValue.flatMap(Role.init(rawValue:)) }
        let digests = secrets.compactMap(Secret.init(value:))
        guard known.count == roles.count, digests.count == secrets.count else { return nil }
        self.init(
            selector: selector, kind: kind, name: name, environment: environment ?? nil, roles: known,
            tenantID: text(Name.tenant), rate: text(Name.rate).flatMap { RequestRate($0) }, createdAt: createdAt,
            createdBy: createdBy, expiresAt: time(Name.expiresAt),
            secrets: digests,
            revocation: Revocation(ofKey: item, createdAt: createdAt), lastUsed: text(Name.lastUsed))
    }
}

extension KeyRecord.Secret {
    fileprivate init?(value: AttributeValue) {
        guard let map = value.mapValue, case .binary(let digest)? = map["digest"] else { return nil }
        let until = map["until"]?.stringValue.map { Timestamp(rfc3339: $0) }
        if case .some(nil) = until { return nil }
        self.init(digest: digest, until: until ?? nil)
    }
}
