import DynamoModel
import TestSupport

/// The number of a text that is known to be one.
func decimal(_ text: String) -> DynamoNumber {
    guard let number = try? DynamoNumber(text) else { preconditionFailure("\(text) is no number") }
    return number
}

extension SeededGenerator {
    /// A number of any magnitude and number of digits that DynamoDB can hold; often a small or an equal one.
    mutating func number() -> DynamoNumber {
        if Int.random(in: 0..<4, using: &self) == 0 { return DynamoNumber(Int64.random(in: -3...3, using: &self)) }
        let digits = Int.random(in: 1...38, using: &self)
        var text = Bool.random(using: &self) ? "-" : ""
        text += String(Int.random(in: 1...9, using: &self))
        for _ in 1..<max(digits, 2) where digits > 1 { text += String(Int.random(in: 0...9, using: &self)) }
        let magnitude = Int.random(in: -130...125, using: &self)
        // The smallest digit may lie below 1e-130 as long as the first does not.
        return decimal("\(text)e\(magnitude - digits + 1)")
    }

    /// A short text of few different characters, so that prefixes, zeros and multi-byte characters collide often.
    mutating func text(max: Int = 6) -> String {
        let characters = ["a", "b", "\0", "\u{1}", "ä", "e\u{301}", "é", "\u{FFFF}", "\u{1F600}", "z"]
        return (0..<Int.random(in: 0...max, using: &self)).map { _ in characters.randomElement(using: &self)! }.joined()
    }

    /// Some bytes, often 0x00 and 0xFF.
    mutating func bytes(max: Int = 6) -> [UInt8] {
        (0..<Int.random(in: 0...max, using: &self)).map { _ in
            [0, 1, 0xFE, 0xFF, UInt8.random(in: 0...255, using: &self)].randomElement(using: &self)!
        }
    }

    /// A value of any type.
    mutating func value(depth: Int = 0) -> AttributeValue {
        switch Int.random(in: 0..<(depth < 3 ? 10 : 5), using: &self) {
        case 0: return .string(text())
        case 1: return .number(number())
        case 2: return .binary(bytes())
        case 3: return .bool(Bool.random(using: &self))
        case 4: return .null
        case 5: return .stringSet(AttributeSet([text(), text(), "always"]))
        case 6: return .numberSet(AttributeSet([number(), number()]))
        case 7: return .binarySet(AttributeSet([bytes(), bytes()]))
        case 8: return .list((0..<Int.random(in: 0...3, using: &self)).map { _ in value(depth: depth + 1) })
        default:
            var map: Item = [:]
            for _ in 0..<Int.random(in: 0...3, using: &self) { map[AttributeName(text())] = value(depth: depth + 1) }
            return .map(map)
        }
    }
}
