import DynamoModel
import Testing

@testable import FlagCore
@testable import FlagStore

@Suite("Kill switches that are set by hand")
struct KillSwitchByHandTests {
    private static let table = "flags"
    private static let key = ItemKey.killSwitch(.staging, flagKey: "f").tableKey
    private static let condition = Condition.attributeNotExists("PK")

    private static func item(_ partition: String, _ sort: String, reason: Int = 10) -> Item {
        ["PK": .string(partition), "SK": .string(sort), "reason": .string(String(repeating: "r", count: reason))]
    }

    @Test(
        "A write is one when it is of a kill switch of the flag table, small, and on no condition",
        arguments: [
            (WriteOperation.put(table: table, item: item("EMERGENCY#staging", "GLOBAL")), true),
            (.put(table: table, item: item("EMERGENCY#staging", "FLAG#f")), true),
            (.delete(table: table, key: key), true), (.update(table: table, key: key, actions: []), true),
            (.put(table: "others", item: item("EMERGENCY#staging", "GLOBAL")), false),
            (.put(table: table, item: item("EMERGENCY#nowhere", "GLOBAL")), false),
            (.put(table: table, item: item("EMERGENCY#staging", "OTHER")), false),
            (.put(table: table, item: item("FLAG#staging#f", "METADATA")), false),
            (.put(table: table, item: item("EMERGENCY#staging", "GLOBAL", reason: 5_000)), false),
            (.put(table: table, item: item("EMERGENCY#staging", "GLOBAL"), condition: condition), false),
            (.delete(table: table, key: key, condition: condition), false),
            (.update(table: table, key: key, actions: [], condition: condition), false),
            (.check(table: table, key: key, condition: condition), false),
        ])
    func isKillSwitch(operation: WriteOperation, isOne: Bool) {
        #expect(operation.isKillSwitch(in: Self.table) == isOne)
        #expect(!operation.isKillSwitch(in: nil))
    }
}
