import Bytes
import JSON

extension Operand {
    /// Whether the value is a number.
    var isNumber: Bool {
        switch self {
        case .integer, .number, .spelled: true
        default: false
        }
    }

    /// A number's value when it is whole and its magnitude fits 64 bits.
    var wholeNumber: WholeNumber? {
        switch self {
        case .integer(let value): WholeNumber(isNegative: value < 0, magnitude: value.magnitude)
        case .number(let value): WholeNumber(exactly: value)
        // What has a point or an exponent is a double also where it is long.
        case .spelled(let view):
            view.isIntegerSpelling ? view.wholeNumber : view.double.flatMap { WholeNumber(exactly: $0) }
        default: nil
        }
    }
}

extension WholeNumber {
    /// The value of a double that is whole and whose magnitude fits 64 bits.
    init?(exactly value: Double) {
        guard let magnitude = UInt64(exactly: value.magnitude) else { return nil }
        self.init(isNegative: value < 0, magnitude: magnitude)
    }
}

/// What numbers a text holds, in JavaScript's eyes (ECMA-262, StringToNumber and parseFloat).
enum NumericText {
    /// The whole text as a number: blank is 0, and what is no number is not-a-number.
    static func number(_ text: UnsafeRawBufferPointer) -> Double {
        let trimmed = trimmingEnd(of: trimmingStart(of: text))
        guard !trimmed.isEmpty else { return 0 }
        let (value, length) = prefix(of: trimmed)
        return length == trimmed.count ? value : .nan
    }

    /// The number that the text begins with, white space aside; not-a-number when it begins with none.
    static func leadingNumber(_ text: UnsafeRawBufferPointer) -> Double {
        let (value, length) = prefix(of: trimmingStart(of: text))
        return length == 0 ? .nan : value
    }

    private static func prefix(of text: UnsafeRawBufferPointer) -> (value: Double, length: Int) {
        func byte(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }
        var index = 0
        func skipDigits() -> Int {
            let start = index
            while byte(index) &- UInt8(ascii: "0") < 10 { index += 1 }
            return index - start
        }
        let isNegative = byte(0) == UInt8(ascii: "-")
        if isNegative || byte(0) == UInt8(ascii: "+") { index = 1 }
        let start = index
        let infinity: StaticString = "Infinity"
        if text.count - index >= 8, UnsafeRawBufferPointer(rebasing: text[index..<index + 8]).hasSameBytes(as: infinity)
        {
            return (isNegative ? -.infinity : .infinity, index + 8)
        }
        var digits = skipDigits()
        if byte(index) == UInt8(ascii: ".") {
            index += 1
            digits += skipDigits()
        }
        guard digits > 0 else { return (.nan, 0) }
        var end = index
        if byte(index) | 0x20 == UInt8(ascii: "e") {
            index += 1
            if byte(index) == UInt8(ascii: "-") || byte(index) == UInt8(ascii: "+") { index += 1 }
            if skipDigits() > 0 { end = index }
        }
        let value = NumberSpelling.double(of: UnsafeRawBufferPointer(rebasing: text[start..<end]))
        return (isNegative ? -value : value, end)
    }

    private static func trimmingStart(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text.drop(while: isSpace))
    }

    private static func trimmingEnd(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var count = text.count
        while count > 0, isSpace(text[count - 1]) { count -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<count])
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
