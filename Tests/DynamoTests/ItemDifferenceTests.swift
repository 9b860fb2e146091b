import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Differences of stored items")
struct ItemDifferenceTests {
    private func difference(_ item: Item, _ other: Item) -> (bytes: Int, whole: Int, isRight: Bool) {
        let (stored, otherStored) = (ItemCodec.encode(item), ItemCodec.encode(other))
        let bytes = ItemDifference.encode(stored, to: otherStored)
        return (bytes.count, stored.count, decoded(bytes, otherStored) == stored)
    }

    private func decoded(_ bytes: [UInt8], _ other: [UInt8]) -> [UInt8]? {
        bytes.withUnsafeBytes { bytes in other.withUnsafeBytes { try? ItemDifference.decode(bytes, to: $0) } }
    }

    private static let flag = TestTable.item(
        "FLAG#staging#new-checkout", "METADATA",
        [
            "defaultEnabled": false, "description": "Shows the new page to those who asked for it", "version": 17,
            "updatedAt": "2026-03-02T03:04:05.678Z", "owner": "team-payments", "environment": "staging",
            "GSI2PK": "OWNER#staging#team-payments", "tags": .list(["a", "b"]),
        ])

    @Test("An item of which little was changed takes the bytes of what was changed")
    func small() {
        let later = Self.flag.merging(["defaultEnabled": true, "version": 18, "updatedAt": "2026-03-02T03:05:05.678Z"])
        {
            $1
        }
        let result = difference(Self.flag, later)
        #expect(result.isRight)
        #expect(result.bytes < 40 && result.whole > 250)
    }

    @Test("A long text of which a word was changed takes the bytes of the word")
    func longText() {
        let text = String(repeating: "an endless rule, ", count: 20_000)
        let before = TestTable.item("p", "1", ["definition": .string(text + "on" + text)])
        let after = TestTable.item("p", "1", ["definition": .string(text + "off, or so" + text)])
        let result = difference(before, after)
        #expect(result.isRight)
        #expect(result.bytes < 64 && result.whole > 600_000)
    }

    @Test("Items of nothing in common, and equal ones", arguments: [Item(), flag, TestTable.item("p", "1")])
    func extremes(_ item: Item) {
        for other in [Item(), Self.flag, TestTable.item("q", "2", ["zz": .binary([UInt8](repeating: 2, count: 300))])] {
            let result = difference(item, other)
            #expect(result.isRight)
            #expect(result.bytes <= result.whole)
        }
        #expect(difference(item, item).isRight)
    }

    @Test("Whatever two items are, the one comes back from its difference to the other")
    func random() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<3000 {
            let item = generator.item()
            let other = Bool.random(using: &generator) ? generator.changed(item) : generator.item()
            let result = difference(item, other)
            #expect(result.isRight && result.bytes <= result.whole, "\(item) \(other)")
        }
    }

    @Test("Bytes that are no difference are refused, whatever they are")
    func damaged() {
        let later = Self.flag.merging(["version": 18]) { $1 }
        let (stored, otherStored) = (ItemCodec.encode(Self.flag), ItemCodec.encode(later))
        let whole = ItemDifference.encode(stored, to: otherStored)
        for count in 1..<whole.count {
            #expect(decoded(Array(whole.prefix(count)), otherStored) != stored)
        }
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            // It may come to other bytes, and never to an end of the process.
            let result = decoded(bytes, otherStored)
            #expect(result.map { $0.count <= otherStored.count + bytes.count } ?? true)
        }
        #expect(throws: ItemCodecError.damaged) {
            try whole.withUnsafeBytes { try ItemDifference.decode($0, to: nil) }
        }
    }
}

extension SeededGenerator {
    /// An item of a few attributes of any type.
    fileprivate mutating func item() -> Item {
        var item: Item = [:]
        for _ in 0..<Int.random(in: 0...8, using: &self) {
            item[AttributeName("a\(Int.random(in: 0..<12, using: &self))")] = value()
        }
        return item
    }

    /// The item with some of it changed.
    fileprivate mutating func changed(_ item: Item) -> Item {
        item.merging(self.item()) { Bool.random(using: &self) ? $0 : $1 }.filter { _ in
            Int.random(in: 0..<10, using: &self) > 0
        }
    }
}
