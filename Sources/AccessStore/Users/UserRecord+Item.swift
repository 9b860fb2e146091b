import Access
import DynamoModel
import FlagCore

extension UserRecord {
    private enum Name {
        static let roles: AttributeName = "roles"
        static let createdAt: AttributeName = "createdAt"
        static let createdBy: AttributeName = "createdBy"
        static let password: AttributeName = "password"
        static let secondFactor: AttributeName = "secondFactor"
        static let begunSecret: AttributeName = "begunSecret"
        static let recoveryDigests: AttributeName = "recoveryDigests"
        static let disabledAt: AttributeName = "disabledAt"
        static let revision: AttributeName = "revision"
    }

    /// The account as an item of the table.
    var item: Item {
        var item: Item = [
            AccessTable.partition: .string(AccessTable.users), AccessTable.sort: .string(name.text),
            Name.createdAt: .string(createdAt.rfc3339), Name.createdBy: .string(createdBy),
            Name.roles: roles.value, Name.password: password.value, Name.revision: .number(revision),
            Name.recoveryDigests: .list(recoveryDigests.map { .binary($0) }),
        ]
        item[Name.secondFactor] = secondFactor?.value
        item[Name.begunSecret] = begunSecret.map { .binary($0) }
        item[Name.disabledAt] = disabledAt.map { .string($0.rfc3339) }
        return item
    }

    /// Reads an account's item; nil when it is none. What is not whole is no account: nobody comes in by it.
    init?(item: Item) {
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        func time(_ name: AttributeName) -> Timestamp? { text(name).flatMap { Timestamp(rfc3339: $0) } }
        guard text(AccessTable.partition) == AccessTable.users,
            let name = text(AccessTable.sort).flatMap({ UserName($0) }),
            let createdAt = time(Name.createdAt), let createdBy = text(Name.createdBy),
            let roles = item[Name.roles].flatMap(UserRoles.init(value:)),
            let password = item[Name.password].flatMap(Password.init(value:)),
            let revision = item[Name.revision]?.int64Value,
            let recovery = item[Name.recoveryDigests]?.listValue?.map(\.binaryValue), !recovery.contains(nil)
        else { return nil }
        let factor = item[Name.secondFactor].map(SecondFactor.init(value:))
        if case .some(nil) = factor { return nil }
        // A time that cannot be read is one all the same: the account is disabled.
        let disabledAt = item[Name.disabledAt].map { _ in time(Name.disabledAt) ?? createdAt }
        self.init(
            name: name, roles: roles, createdAt: createdAt, createdBy: createdBy, password: password,
            secondFactor: factor ?? nil, begunSecret: item[Name.begunSecret]?.binaryValue,
            recoveryDigests: recovery.compactMap { $0 }, disabledAt: disabledAt, revision: revision)
    }
}

extension UserRecord.Password {
    fileprivate var value: AttributeValue {
        var map: Item = [
            "digest": .binary(digest), "salt": .binary(salt), "rounds": .number(Int64(cost.rounds)),
            "blockSize": .number(Int64(cost.blockSize)), "parallelism": .number(Int64(cost.parallelism)),
        ]
        map["oneTimeEnd"] = oneTimeEnd.map { .string($0.rfc3339) }
        return .map(map)
    }

    fileprivate init?(value: AttributeValue) {
        guard let map = value.mapValue, let digest = map["digest"]?.binaryValue, let salt = map["salt"]?.binaryValue,
            let rounds = map["rounds"]?.int64Value, let blockSize = map["blockSize"]?.int64Value,
            let parallelism = map["parallelism"]?.int64Value
        else { return nil }
        let end = map["oneTimeEnd"].map { $0.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        if case .some(nil) = end { return nil }
        let cost = PasswordCost(
            rounds: Int(clamping: rounds), blockSize: Int(clamping: blockSize), parallelism: Int(clamping: parallelism))
        guard cost.isBounded else { return nil }
        self.init(digest: digest, salt: salt, cost: cost, oneTimeEnd: end ?? nil)
    }
}

extension UserRecord.SecondFactor {
    fileprivate var value: AttributeValue {
        .map(["secret": .binary(sealedSecret), "lastStep": .number(lastStep)])
    }

    fileprivate init?(value: AttributeValue) {
        guard let map = value.mapValue, let secret = map["secret"]?.binaryValue,
            let step = map["lastStep"]?.int64Value
        else { return nil }
        self.init(sealedSecret: secret, lastStep: step)
    }
}

extension UserRoles {
    /// By the names of environments, roles by theirs.
    fileprivate var value: AttributeValue {
        var map = Item()
        for environment in Environment.allCases where !self[environment].isEmpty {
            map[AttributeName(environment.rawValue)] = .list(self[environment].map { .string($0.rawValue) })
        }
        return .map(map)
    }

    fileprivate init?(value: AttributeValue) {
        guard let map = value.mapValue else { return nil }
        var roles: [Environment: Set<Role>] = [:]
        for environment in Environment.allCases {
            guard let list = map[AttributeName(environment.rawValue)] else { continue }
            guard let values = list.listValue else { return nil }
            let known = values.compactMap { $0.stringValue.flatMap(Role.init(rawValue:)) }
            guard known.count == values.count else { return nil }
            roles[environment] = Set(known)
        }
        self.init(roles)
    }
}

extension AttributeValue {
    /// The bytes of a binary value, else nil.
    fileprivate var binaryValue: [UInt8]? { if case .binary(let value) = self { value } else { nil } }
}
