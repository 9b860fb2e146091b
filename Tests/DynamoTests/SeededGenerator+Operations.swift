import DynamoModel
import TestSupport

extension SeededGenerator {
    /// The operations of one transaction on the test table, on different items of a few that all share.
    mutating func operations() -> [WriteOperation] {
        var operations: [WriteOperation] = []
        var keys: Set<TableKey> = []
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let operation = self.operation()
            if keys.insert(operation.key).inserted { operations.append(operation.operation) }
        }
        return operations
    }

    /// One of a few keys.
    mutating func key() -> TableKey {
        TestTable.key(
            ["p", "q", "q\0", "é"].randomElement(using: &self) ?? "",
            "s\(Int.random(in: 0..<8, using: &self))")
    }

    /// A number, often one of those that others are.
    mutating func keyNumber() -> AttributeValue {
        [.number(number()), 1, 2, 10, -1].randomElement(using: &self) ?? 0
    }

    /// One of a few names.
    mutating func name() -> AttributeValue {
        .string(["a", "ab", "b"].randomElement(using: &self) ?? "")
    }

    private mutating func operation() -> (key: TableKey, operation: WriteOperation) {
        let key = self.key()
        let condition: Condition? =
            switch Int.random(in: 0..<6, using: &self) {
            case 0: .attributeExists("PK")
            case 1: .attributeNotExists("PK")
            case 2: .compare("rank", .less, keyNumber())
            default: nil
            }
        switch Int.random(in: 0..<8, using: &self) {
        case 0: return (key, .delete(table: TestTable.name, key: key, condition: condition))
        case 1:
            return (key, .check(table: TestTable.name, key: key, condition: condition ?? .attributeExists("PK")))
        case 2...4:
            return (key, .update(table: TestTable.name, key: key, actions: actions(), condition: condition))
        default:
            var item: Item = ["PK": key.partition, "SK": key.sort ?? .null, "value": value()]
            if Bool.random(using: &self) { item["group"] = name() }
            if Bool.random(using: &self) { item["rank"] = keyNumber() }
            if Bool.random(using: &self) { item["owner"] = name() }
            if Bool.random(using: &self) { item["tag"] = name() }
            if Bool.random(using: &self) { item["note"] = value() }
            return (key, .put(table: TestTable.name, item: item, condition: condition))
        }
    }

    private mutating func actions() -> [UpdateAction] {
        [
            [.set("group", .value(name()))], [.remove("group")], [.set("rank", .value(keyNumber()))],
            [.add("rank", keyNumber())], [.remove("rank"), .set("owner", .value(name()))],
            [.set("rank", .value("no number"))],
            [.set("tag", .value(name())), .set("note", .value(value()))],
            [.set("note", .path("value"))], [],
        ].randomElement(using: &self) ?? []
    }
}
