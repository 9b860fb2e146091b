import DynamoModel
import FlagCore
import JSON

extension ListedBackup {
    /// The backup as it is shown.
    package var json: JSONValue {
        switch self {
        case .available(let description), .creating(let description):
            let isCreating = if case .creating = self { true } else { false }
            return [
                "id": .string(description.id), "name": .string(description.name),
                "kind": .string(description.kind.rawValue.lowercased()),
                "status": isCreating ? "creating" : "available", "table": .string(description.table.schema.name),
                "createdAt": time(description.createdAt), "items": .integer(description.table.content.items),
                "sizeBytes": .integer(description.sizeBytes),
            ]
        case .damaged(let damage):
            return [
                "id": .string(damage.id), "status": "damaged", "reason": .string(damage.reason),
                "createdAt": time(damage.createdAt), "sizeBytes": .integer(damage.sizeBytes),
            ]
        }
    }
}

extension ContinuousBackups {
    /// What there is of a table, as it is shown.
    func json(of table: String) -> JSONValue {
        [
            "table": .string(table), "enabled": .bool(isEnabled),
            "days": isEnabled ? .integer(Int64(recoveryPeriodDays)) : .null,
            "earliest": time(restorable?.lowerBound), "latest": time(restorable?.upperBound),
            "damages": .array(
                damages.map { damage in
                    [
                        "file": .string(damage.file), "byte": damage.byte.map { .integer(Int64($0)) } ?? .null,
                        "reason": .string(damage.reason), "lostFrom": time(damage.lost?.lowerBound),
                        "lostTo": time(damage.lost?.upperBound),
                    ]
                }),
        ]
    }
}

extension EndedContinuousBackups {
    /// What is left of a table that is no more, as it is shown.
    var json: JSONValue {
        [
            "table": .string(table), "enabled": false, "ended": time(endedAt),
            "earliest": time(restorable?.lowerBound), "latest": time(restorable?.upperBound),
            "reason": trouble.map { .string($0.description) } ?? .null,
        ]
    }
}

extension VerificationReport {
    /// The report as it is shown.
    package var json: JSONValue {
        [
            "items": .integer(Int64(items)), "entries": .integer(Int64(entries)),
            "changes": .integer(Int64(changes)), "backups": .integer(Int64(backups)),
            "loggedChanges": .integer(Int64(loggedChanges)), "problems": .array(problems.map { .string($0) }),
        ]
    }
}

private func time(_ milliseconds: Int64?) -> JSONValue {
    milliseconds.map { .string(Timestamp(millisecondsSinceEpoch: $0).rfc3339) } ?? .null
}
