import Access
import DynamoModel
import FlagCore

extension AccessKeyRecord {
    private enum Name {
        static let name: AttributeName = "name"
        static let policy: AttributeName = "policy"
        static let createdAt: AttributeName = "createdAt"
        static let createdBy: AttributeName = "createdBy"
        static let rate: AttributeName = "rate"
        static let lastUsed: AttributeName = "lastUsed"
    }

    /// The key as an item of the table.
    var item: Item {
        var item: Item = [
            AccessTable.partition: .string(AccessTable.accessKeys), AccessTable.sort: .string(id),
            Name.name: .string(name), Name.policy: .string(policy), Name.createdAt: .string(createdAt.rfc3339),
            Name.createdBy: .string(createdBy),
        ]
        item[Name.rate] = rate.map { .string($0.text) }
        revocation?.add(to: &item)
        item[Name.lastUsed] = lastUsed.map { .string($0) }
        return item
    }

    /// Reads a key's item; nil when it is none. What is not whole is no key: nobody comes in by it.
    init?(item: Item) {
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        guard text(AccessTable.partition) == AccessTable.accessKeys, let id = text(AccessTable.sort),
            AccessKeyID.isOne(id), let name = text(Name.name), let policy = text(Name.policy),
            let createdAt = text(Name.createdAt).flatMap({ Timestamp(rfc3339: $0) }),
            let createdBy = text(Name.createdBy)
        else { return nil }
        // A bound that cannot be read is no reason to ask without one.
        let rate = text(Name.rate).flatMap { RequestRate($0) }
        if item[Name.rate] != nil, rate == nil { return nil }
        self.init(
            id: id, name: name, policy: policy, createdAt: createdAt, createdBy: createdBy, rate: rate,
            revocation: KeyRecord.Revocation(ofKey: item, createdAt: createdAt), lastUsed: text(Name.lastUsed))
    }
}
