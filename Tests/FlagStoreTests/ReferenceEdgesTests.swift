import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import FlagStore

/// Who requires a flag and who names a segment, told without reading all flags.
@Suite("Who names what is to be deleted")
struct ReferenceEdgesTests {
    private static let flags = (0..<6).map { "f\($0)" }
    private static let segments = (0..<3).map { "s\($0)" }

    /// What a flag of the random table says: what it requires, and the segment its rule names.
    private struct Names: Equatable {
        var requires: [String] = []
        var segment: String?
    }

    private static func item(_ key: String, _ names: Names) -> Item {
        let requires = names.requires.map { #"{"flagKey":"\#($0)","variant":"on"}"# }.joined(separator: ",")
        let targeting = names.segment.map { #"{"if":[{"segment":"\#($0)"},"on","off"]}"# } ?? "null"
        let definition = #"{"variants":{"on":true,"off":false},"defaultVariant":"on","targeting":\#(targeting)}"#
        var item: Item = [
            "PK": .string("FLAG#development#\(key)"), "SK": "METADATA", "GSI3PK": "FLAGS#development",
            "GSI3SK": .string(key), "flagKey": .string(key), "description": "d", "owner": "ops",
            "createdAt": "2026-01-02T03:04:05Z", "definition": .string(definition),
        ]
        if !names.requires.isEmpty { item["requires"] = .string("[\(requires)]") }
        return item
    }

    @Test("is what a reading of all flags finds, whoever wrote or deleted them, in this table or one in its place")
    func agrees() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let repository = FlagRepository(store: gated, table: Fixture.table)
        var chance = SystemRandomNumberGenerator()
        var model: [String: Names] = [:]
        for _ in 0..<400 {
            let key = Self.flags.randomElement(using: &chance) ?? ""
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<6:
                let count = Int.random(in: 0...2, using: &chance)
                let names = Names(
                    requires: Array(Self.flags.shuffled(using: &chance).prefix(count)),
                    segment: Bool.random(using: &chance) ? Self.segments.randomElement(using: &chance) : nil)
                try fixture.put(Self.item(key, names))
                model[key] = names
            case 6, 7:
                let item = ItemKey.flag(.development, key: key)
                try fixture.store.transactAndWait(
                    [.delete(table: Fixture.table, key: item.tableKey)], principal: .anonymous)
                model[key] = nil
            case 8 where Int.random(in: 0..<4, using: &chance) == 0:
                // As a restore does it: nobody is told what is in the new table.
                gated.setMuted(true)
                try fixture.store.deleteTable(Fixture.table)
                try repository.createTableIfMissing()
                try fixture.put(Self.item(key, Names(requires: ["f0"], segment: "s0")))
                gated.setMuted(false)
                model = [key: Names(requires: ["f0"], segment: "s0")]
            default:
                break
            }
            let flag = Self.flags.randomElement(using: &chance) ?? ""
            let requiring = model.filter { $0.value.requires.contains(flag) }.keys.sorted()
            try #require(
                try repository.dependents(of: flag, in: .development).map(\.flagKey) == requiring)
            let segment = Self.segments.randomElement(using: &chance) ?? ""
            let naming = model.filter { $0.value.segment == segment }.keys.sorted()
            try #require(try repository.uses(ofSegment: segment, in: .development).flags == naming)
        }
    }

    @Test("is told without reading those that do not: 300 deletions read as much each as the first few")
    func reads() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let repository = FlagRepository(store: gated, table: Fixture.table)
        for number in 0..<300 { try fixture.put(Self.item("many-\(number)", Names())) }
        try fixture.put(Self.item("base", Names()))
        try fixture.put(Self.item("next", Names(requires: ["base"], segment: nil)))
        func delete(_ key: String) throws {
            try fixture.wait { repository.delete(key, in: .tests(.development), completion: $0) }
        }
        try delete("many-0")
        let before = gated.itemsRead
        for number in 1..<300 { try delete("many-\(number)") }
        // Each reads what the one before it wrote, the flag, its overrides twice and the list of invalid flags: none
        // of these has more than a few items.
        #expect(gated.itemsRead - before < 299 * 4)
        guard case .required("base", by: ["next"])? = failure({ try delete("base") }) else {
            Issue.record("a flag that another requires was deleted")
            return
        }
    }
}
