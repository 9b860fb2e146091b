import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Stored items")
struct ItemCodecTests {
    @Test("An item is read back as it was, and equal items have equal bytes", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let item = self.item(&random)
            let bytes = ItemCodec.encode(item)
            let decoded = try decode(bytes)
            #expect(decoded == item)
            #expect(ItemCodec.encode(decoded) == bytes)
        }
    }

    @Test("Every cut-off item is refused")
    func prefixes() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<50 {
            let bytes = ItemCodec.encode(item(&random))
            for count in 0..<bytes.count {
                #expect(throws: ItemCodecError.self) { try decode(Array(bytes[..<count])) }
            }
            #expect(throws: ItemCodecError.self) { try decode(bytes + [0]) }
        }
    }

    @Test("A damaged item is an item or refused, and never the end of the process")
    func damage() {
        var random = SeededGenerator(seed: 10)
        for _ in 0..<20_000 {
            var bytes = ItemCodec.encode(item(&random, members: 3))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? decode(bytes)
        }
    }

    @Test("An item of a later format is refused as that, not as damaged")
    func laterFormat() {
        #expect(throws: ItemCodecError.unknownFormat(2)) { try decode([2, 0]) }
    }

    @Test("Nesting without end is refused before the stack is full")
    func endlessNesting() {
        let bytes: [UInt8] = [1, 1, 1, 0x61] + [UInt8](repeating: [6, 1], count: 100_000)
        #expect(throws: ItemCodecError.damaged) { try decode(bytes) }
    }

    private func item(_ random: inout SeededGenerator, members: Int = 6) -> Item {
        var item: Item = [:]
        for _ in 0..<members { item[random.text()] = random.value() }
        return item
    }

    private func decode(_ bytes: [UInt8]) throws -> Item {
        try bytes.withUnsafeBytes { try ItemCodec.decode($0) }
    }
}

extension [UInt8] {
    fileprivate init(repeating part: [UInt8], count: Int) { self = Array(repeatElement(part, count: count).joined()) }
}
