import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Key bytes")
struct KeyEncodingTests {
    @Test("Keys sort as their values do, and are equal only for equal values", arguments: [1, 2, 3] as [UInt64])
    func order(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var previous: [AttributeValue] = [.string(""), .number(0), .binary([])]
        for _ in 0..<20_000 {
            let values: [AttributeValue] = [.string(random.text()), .number(random.number()), .binary(random.bytes())]
            for (left, right) in zip(previous, values) {
                let order = bytes(left).compareBytes(to: bytes(right))
                #expect((order < 0) == Comparison.less.holds(left, right), "\(left) and \(right)")
                #expect((order == 0) == (left == right), "\(left) and \(right)")
            }
            previous = values
        }
    }

    @Test("No key is the beginning of another", arguments: [4, 5] as [UInt64])
    func prefixFree(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            for (left, right) in [
                (AttributeValue.string(random.text()), AttributeValue.string(random.text())),
                (.number(random.number()), .number(random.number())),
                (.binary(random.bytes()), .binary(random.bytes())),
            ] where left != right {
                #expect(!bytes(left).starts(with: bytes(right)) && !bytes(right).starts(with: bytes(left)))
            }
        }
    }

    @Test("A range holds exactly the keys that meet its condition", arguments: [6, 7] as [UInt64])
    func ranges(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let prefix: [UInt8] = [3, 0xFF, 0xFF]
        for _ in 0..<10_000 {
            for (value, first, last) in [
                (
                    AttributeValue.string(random.text()), AttributeValue.string(random.text()),
                    AttributeValue.string(random.text())
                ),
                (.number(random.number()), .number(random.number()), .number(random.number())),
            ] {
                let conditions: [(SortCondition, Bool)] = [
                    (.equal(first), value == first),
                    (.less(first), Comparison.less.holds(value, first)),
                    (.lessOrEqual(first), Comparison.lessOrEqual.holds(value, first)),
                    (.greater(first), Comparison.greater.holds(value, first)),
                    (.greaterOrEqual(first), Comparison.greaterOrEqual.holds(value, first)),
                    (
                        .between(first, last),
                        Comparison.greaterOrEqual.holds(value, first) && Comparison.lessOrEqual.holds(value, last)
                    ),
                ]
                // What follows a sort key in an index entry must not matter.
                let key = prefix + bytes(value) + random.bytes()
                for (condition, holds) in conditions {
                    #expect(KeyRange(prefix: prefix, sort: condition).contains(key) == holds, "\(value), \(condition)")
                }
                if case .string(let text) = value, case .string(let beginning) = first {
                    #expect(
                        KeyRange(prefix: prefix, sort: .beginsWith(first)).contains(key)
                            == text.utf8.starts(with: beginning.utf8))
                }
                #expect(KeyRange(prefix: prefix).contains(key))
            }
        }
    }

    @Test("Number keys are at most 22 bytes")
    func numberLength() throws {
        var random = SeededGenerator(seed: 8)
        for _ in 0..<1000 { #expect(bytes(.number(random.number())).count <= 22) }
    }

    private func bytes(_ value: AttributeValue) -> [UInt8] {
        var bytes: [UInt8] = []
        KeyEncoding.append(value, to: &bytes)
        return bytes
    }
}
