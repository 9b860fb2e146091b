import DynamoModel
import FlagCore

extension FlagRepository {
    /// Stores an item.
    package func put(_ item: Item, if condition: Condition? = nil) -> WriteOperation {
        .put(table: table, item: item, condition: condition)
    }

    /// Removes the item of a key.
    package func delete(_ key: ItemKey, if condition: Condition? = nil) -> WriteOperation {
        .delete(table: table, key: key.tableKey, condition: condition)
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

extension DefinitionIssue {
    /// A body says that a flag is archived.
    static let notArchivedSo = DefinitionIssue(
        pointer: "/archived", message: "is not set so: POST /api/flags/{flagKey}/archive puts a flag away")
}

extension FlagDraft {
    /// The flag as it is to be stored.
    package func record(
        in environment: Environment, createdAt: Timestamp, updatedAt: Timestamp, version: Int64
    ) -> FlagRecord {
        FlagRecord(
            environment: environment, key: key, description: description, owner: owner, rule: rule,
            isKeptInvalid: isKeptInvalid, expiresAt: expiresAt, tags: tags, isClientSide: isClientSide,
            isArchived: isArchived, approvals: approvals, createdAt: createdAt, updatedAt: updatedAt, version: version)
    }

    /// What contradicts the environment, or the flag that is to be replaced.
    func issues(in environment: Environment, asFormOf current: FlagRecord?) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        if let named = self.environment, named != environment {
            issues.append(.wrongEnvironment(named, environment))
        }
        guard let current else {
            if isArchived { issues.append(.notArchivedSo) }
            return issues
        }
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
    package var sizeIssues: [DefinitionIssue] {
        let bytes = item.storedBytes
        guard bytes > FlagLimits.storedFlagBytes else { return [] }
        return [
            DefinitionIssue(
                pointer: "",
                message: "is \(bytes) bytes as it is stored: at most \(FlagLimits.storedFlagBytes) are allowed")
        ]
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
