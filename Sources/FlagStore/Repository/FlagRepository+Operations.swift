import DynamoTable
import FlagCore

extension FlagRepository {
    /// Stores an item.
    func put(_ item: Item, if condition: Condition? = nil) -> WriteOperation {
        .put(table: table, item: item, condition: condition)
    }

    /// Removes the item of a key.
    func delete(_ key: ItemKey, if condition: Condition? = nil) -> WriteOperation {
        .delete(table: table, key: key.tableKey, condition: condition)
    }

    /// Does the operations and raises the environment's revision, all or nothing.
    ///
    /// - Parameter operations: at most `FlagLimits.operationsPerTransaction`.
    func write(
        _ operations: [WriteOperation], in environment: Environment, by principal: Principal,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        let raise = WriteOperation.update(
            table: table, key: ItemKey.revision(environment).tableKey,
            actions: [.add(DocumentPath(Attribute.revision), .number(1))])
        store.transact(operations + [raise], principal: principal, completion: completion)
    }
}

extension Condition {
    /// There is an item.
    static let exists = Condition.attributeExists(DocumentPath(Attribute.partition))

    /// There is a flag of this version; one that never had a version counts as version 1.
    static func isAt(version: Int64) -> Condition {
        let path = DocumentPath(Attribute.version)
        let matches = Condition.equals(path, .number(version))
        return .and([exists, version == 1 ? .or([matches, .attributeNotExists(path)]) : matches])
    }
}

extension DefinitionIssue {
    /// What the sender calls the environment is not where the request goes.
    static func wrongEnvironment(_ named: Environment, _ environment: Environment) -> DefinitionIssue {
        DefinitionIssue(
            pointer: "/environment",
            message: "is \(named.rawValue), but the request is for \(environment.rawValue): leave it out or correct it")
    }
}

extension FlagDraft {
    /// The flag as it is to be stored.
    func record(
        in environment: Environment, createdAt: Timestamp, updatedAt: Timestamp, version: Int64
    ) -> FlagRecord {
        FlagRecord(
            environment: environment, key: key, description: description, owner: owner, rule: rule,
            isKeptInvalid: isKeptInvalid, expiresAt: expiresAt, tags: tags, createdAt: createdAt, updatedAt: updatedAt,
            version: version)
    }

    /// What contradicts the environment, or the flag that is to be replaced.
    func issues(in environment: Environment, asFormOf current: FlagRecord?) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        if let named = self.environment, named != environment {
            issues.append(.wrongEnvironment(named, environment))
        }
        guard let current else { return issues }
        if let createdAt, createdAt != current.createdAt {
            issues.append(
                DefinitionIssue(
                    pointer: "/createdAt", message: "cannot be changed: the flag has \(current.createdAt.rfc3339)"))
        }
        if let updatedAt, updatedAt != current.updatedAt {
            issues.append(
                DefinitionIssue(
                    pointer: "/updatedAt",
                    message: "is set by the server: the flag has \(current.updatedAt.rfc3339); leave it out"))
        }
        return issues
    }
}

extension FlagRecord {
    /// What is wrong with the flag's size as an item.
    var sizeIssues: [DefinitionIssue] {
        let bytes = item.storedBytes
        guard bytes > FlagLimits.storedFlagBytes else { return [] }
        return [
            DefinitionIssue(
                pointer: "",
                message: "is \(bytes) bytes as it is stored: at most \(FlagLimits.storedFlagBytes) are allowed")
        ]
    }

    /// The flag that an item holds, or when it holds none, what can be made of it: a replacement must be possible.
    fileprivate init(broken item: Item, environment: Environment, key: String, at now: Timestamp) {
        self.init(
            environment: environment, key: key, description: item[Attribute.description]?.stringValue ?? key,
            owner: item[Attribute.owner]?.stringValue ?? "unknown",
            rule: FlagRule(item) ?? .simple(defaultEnabled: false),
            createdAt: item[Attribute.createdAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? now,
            updatedAt: item[Attribute.updatedAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? now,
            version: max(1, item[Attribute.version]?.int64Value ?? 1))
    }

    /// The flag that an item holds, repaired where it is invalid.
    init(repairing item: Item, environment: Environment, key: String, at now: Timestamp) {
        do throws(DefinitionIssues) {
            try self.init(item: item, environment: environment, key: key)
        } catch {
            self.init(broken: item, environment: environment, key: key, at: now)
        }
    }
}

extension Item {
    /// The item's size in bytes as DynamoDB counts it: names and values. Exact for what a flag has.
    var storedBytes: Int {
        reduce(0) { sum, attribute in
            let value: Int =
                switch attribute.value {
                case .string(let text): text.utf8.count
                case .stringSet(let set): set.elements.reduce(0) { $0 + $1.utf8.count }
                case .number: 21
                default: 1
                }
            return sum + attribute.key.utf8.count + value
        }
    }
}
