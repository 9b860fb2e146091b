import Bytes
import Foundation
import JSON
import TestSupport
import Testing

@Suite("Random documents")
struct RandomDocumentTests {
    @Test("written, parsed and written again are the same, and the same as Foundation reads them")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 2026)
        // 100,000 take minutes: `./scripts/test --long`.
        let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] != nil
        let count = isLong ? 100_000 : 1_000
        for _ in 0..<count {
            let value = randomValue(&generator, depth: 4)
            let text = value.serializedBytes()
            let parsed = try JSONValue(parsing: text)
            #expect(parsed == value)
            #expect(parsed.serializedBytes() == text)
            let foundation = try JSONDecoder().decode(FoundationValue.self, from: Data(text))
            #expect(foundation.isSame(as: parsed), "\(parsed)")
        }
        if isLong { print("random documents: \(count) as expected") }
    }

    @Test("with bytes changed at random are accepted or refused, but never crash the parser")
    func mutations() {
        var generator = SeededGenerator(seed: 4242)
        var accepted = 0
        for _ in 0..<4_000 {
            var text = randomValue(&generator, depth: 4).serializedBytes()
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let position = Int.random(in: 0..<text.count, using: &generator)
                text[position] = Bool.random(using: &generator) ? .random(in: 0...255, using: &generator) : text[0]
            }
            guard let value = try? JSONValue(parsing: text) else { continue }
            accepted += 1
            #expect((try? JSONValue(parsing: value.serializedBytes())) == value)
        }
        #expect(accepted > 0)
    }

    private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2:
            return .integer(Int64(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0...63, using: &generator)))
        case 3: return JSONNumber(Double.random(in: -1e6...1e6, using: &generator)).map { .number($0) } ?? .null
        case 4, 5: return .string(randomText(&generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<6, using: &generator)).map { _ in randomValue(&generator, depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                object[randomText(&generator)] = randomValue(&generator, depth: depth - 1)
            }
            return .object(object)
        }
    }

    private func randomText(_ generator: inout SeededGenerator) -> String {
        let alphabet = Array("abcdefgh \"\\/\n\t\u{1}éß€漢😀👩‍👩‍👧{}[]:,0123456789")
        return String(
            (0..<Int.random(in: 0..<24, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "x"
            })
    }
}

/// A document as Foundation's decoder reads it. (`JSONSerialization` does not round doubles to the nearest.)
private enum FoundationValue: Decodable {
    case null, bool(Bool), integer(Int64), double(Double), text(String)
    case list([FoundationValue])
    case members([String: FoundationValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([FoundationValue].self) {
            self = .list(value)
        } else {
            self = .members(try container.decode([String: FoundationValue].self))
        }
    }

    func isSame(as value: JSONValue) -> Bool {
        switch (self, value) {
        case (.null, .null): true
        case (.bool(let own), .bool(let other)): own == other
        case (.integer(let own), .number(let other)): other.int64 == own
        case (.double(let own), .number(let other)): other.double == own
        case (.text(let own), .string(let other)): own.isExactly(other)
        case (.list(let own), .array(let other)):
            own.count == other.count && zip(own, other).allSatisfy { $0.isSame(as: $1) }
        case (.members(let own), .object(let other)):
            own.count == other.count && other.members.allSatisfy { own[$0.key]?.isSame(as: $0.value) ?? false }
        default: false
        }
    }
}
