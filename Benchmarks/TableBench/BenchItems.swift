import DynamoModel

/// The table that is measured: partitions of 100 items, four indexes that hold every item.
///
/// `Benchmarks/cases/table.py` makes the same items for the other servers.
enum BenchItems {
    static let table = "bench"
    static let partitionSize = 100
    /// Bytes of an item as DynamoDB counts them.
    static let itemBytes = 339
    /// Items of one owner, who is what an index query asks for.
    static let ownerSize = 10

    static func schema(named name: String) -> TableSchema {
        TableSchema(
            name: name, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"),
            indexes: (1...4).map { number in
                IndexSchema(
                    "GSI\(number)", partitionKey: KeyAttribute(AttributeName("GSI\(number)PK")),
                    sortKey: KeyAttribute(AttributeName("GSI\(number)SK")))
            },
            throughput: Throughput(readUnits: 25, writeUnits: 25))
    }

    static func partition(_ number: Int) -> AttributeValue { .string("P#\(digits(number / partitionSize, 7))") }

    static func key(_ number: Int) -> TableKey {
        TableKey(partition(number), .string("I#\(digits(number % partitionSize, 3))"))
    }

    static func owner(_ number: Int) -> AttributeValue { .string("OWNER#\(digits(number / ownerSize, 7))") }

    static func item(_ number: Int) -> Item {
        let key = key(number)
        let name = digits(number, 8)
        return [
            "PK": key.partition, "SK": key.sort ?? .null, "flagKey": .string("flag-\(name)"),
            "description": "Shows the new page to those who asked for it, and to nobody else",
            "defaultEnabled": .bool(number % 2 == 0), "owner": .string("team-\(digits(number / ownerSize, 7))"),
            "version": .number(Int64(number % 50 + 1)), "createdAt": "2026-01-02T03:04:05.678Z",
            "GSI1PK": .string("EXPIRES#\(number % 16)"), "GSI1SK": .string("2027-01-02#\(name)"),
            "GSI2PK": owner(number), "GSI2SK": .string("FLAG#\(name)"),
            "GSI3PK": .string("FLAGS#\(number % 8)"), "GSI3SK": .string("METADATA#\(name)"),
            "GSI4PK": .string("GLOBAL#\(name)"), "GSI4SK": "ENV#staging",
        ]
    }

    /// A number with leading zeros.
    static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
