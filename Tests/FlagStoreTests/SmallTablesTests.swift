import Bytes
import DynamoModel
import FlagCore
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Names, hashes and the table of tenants")
struct SmallTablesTests {
    @Test(
        "Both spellings name an environment, as text and as bytes",
        arguments: [
            ("development", Environment.development), ("local", .development), ("staging", .staging), ("dev", .staging),
            ("production", .production), ("prod", .production),
        ])
    func spellings(spelling: String, environment: Environment) {
        #expect(Environment(spelling: spelling) == environment)
        #expect(spelling.withBytes { Environment(spelling: $0) } == environment)
    }

    @Test("Anything else names none", arguments: ["", "Dev", "production ", "test"])
    func unknown(spelling: String) {
        #expect(Environment(spelling: spelling) == nil)
        #expect(spelling.withBytes { Environment(spelling: $0) } == nil)
    }

    @Test(
        "Every key is read back from its item key, whatever is in it",
        arguments: [
            ItemKey.flag(.staging, key: "a#b/c ü"), .override(.production, tenant: "t#1", flagKey: "FLAG#x"),
            .killSwitch(.development, flagKey: nil), .killSwitch(.development, flagKey: "GLOBAL"), .revision(.staging),
        ])
    func keys(key: ItemKey) {
        #expect(ItemKey(key.tableKey) == key)
    }

    @Test("A change of one byte, of the length or of the salt changes the hash")
    func hashes() {
        let hash = ByteHash(seed: 42)
        var seen: Set<UInt64> = []
        let texts = (0..<40).map { String(repeating: "a", count: $0) }
        for text in texts + texts.map({ $0 + "b" }) { seen.insert(hash(text)) }
        seen.insert(hash("a", salt: 1))
        seen.insert(hash("a", salt: 2))
        #expect(seen.count == 82)
        #expect(hash("abc") == hash("abc"))
    }

    @Test("Hashes of similar names spread over a table: no slot gets three times its share")
    func spread() {
        let hash = ByteHash(seed: 7)
        var slots = Array(repeating: 0, count: 256)
        for number in 0..<256_000 { slots[Int(hash("tenant-\(number)") & 255)] += 1 }
        #expect(slots.allSatisfy { (800...1_200).contains($0) })
    }

    @Test("Until it is complete every tenant may have overrides; then only those that have, however it grew")
    func tenants() {
        var table = TenantTable(capacity: 0)
        #expect("nobody".withBytes { table.slots.mayContain(.staging, tenant: $0) })
        for number in 0..<5_000 {
            "tenant-\(number)".withBytes { name in
                if !table.insert(.staging, tenant: name) {
                    table = table.grown()
                    #expect(table.insert(.staging, tenant: name))
                }
            }
        }
        table.markComplete()
        #expect(table.count == 5_000)
        for number in 0..<5_000 {
            #expect("tenant-\(number)".withBytes { table.slots.mayContain(.staging, tenant: $0) })
            #expect(!"tenant-\(number)".withBytes { table.slots.mayContain(.production, tenant: $0) })
        }
        #expect(!"nobody".withBytes { table.slots.mayContain(.staging, tenant: $0) })
        #expect(table.grown().isComplete)
    }

    @Test("A million tenants take sixteen MiB")
    func memory() {
        #expect(TenantTable(capacity: 1_000_000).byteCount == 16 * 1_024 * 1_024)
    }

    @Test("A list's cursor survives its text, and no other text is one")
    func cursors() throws {
        let names: [AttributeName] = ["PK", "SK"]
        let cursor = ListCursor(letter: "t", after: ["PK": "ü", "SK": "x", "other": 1], names: names)
        let text = cursor.text(names: names)
        #expect(try ListCursor(text, letter: "t", names: names) == cursor)
        for wrong in ["", "!", text + "A", String(text.dropLast()), "W10"] {
            #expect(throws: FlagStoreError.self) { try ListCursor(wrong, letter: "t", names: names) }
        }
        #expect(throws: FlagStoreError.self) { try ListCursor(text, letter: "a", names: names) }
    }
}
