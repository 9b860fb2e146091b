import JSON
import TestSupport
import Testing

@Suite("Numbers")
struct NumberTests {
    @Test(
        "are whole when they are, however spelled, and exact to 64 bits",
        arguments: [
            ("0", 0), ("-0", 0), ("2.0", 2), ("1e3", 1000), ("1.5e1", 15), ("150e-1", 15), ("1.5", nil), ("1e-1", nil),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("9223372036854775807.0", Int64.max), ("1e18", 1_000_000_000_000_000_000),
            ("1e19", nil), ("1e999999999999", nil), ("0e999999999999", 0), ("0.000e-9", 0),
            ("123456789012345678901234567890", nil), ("18446744073709551616", nil), ("1.00000000000000000000001", nil),
            ("1e99999999999999999999999999", nil), ("0e99999999999999999999999999", 0),
        ] as [(String, Int64?)])
    func whole(spelling: String, value: Int64?) throws {
        #expect(number(spelling).int64 == value)
    }

    @Test(
        "of twenty digits are exact where 64 bits hold them, and nothing where they do not",
        arguments: [
            ("18446744073709551615", UInt64.max), ("12345678901234567891", 12_345_678_901_234_567_891),
            ("-12345678901234567891", 12_345_678_901_234_567_891), ("18446744073709551616", nil),
            ("99999999999999999999", nil), ("12345678901234567891.5", nil),
        ] as [(String, UInt64?)])
    func twentyDigits(spelling: String, magnitude: UInt64?) {
        let whole = Array(spelling.utf8).withUnsafeBytes { NumberSpelling.wholeValue(of: $0) }
        #expect(whole?.magnitude == magnitude)
        #expect(whole.map { $0.isNegative == spelling.hasPrefix("-") } ?? true)
    }

    @Test("keep how they were spelled, and are equal only when spelled the same")
    func spelling() throws {
        #expect(try JSONValue(parsing: "[2.0,1E+2,-0]").serialized() == "[2.0,1E+2,-0]")
        #expect(number("2.0") != number("2"))
        #expect(number("2.0").double == number("2").double)
        #expect(JSONNumber(spelling: " 2") == nil)
        #expect(JSONNumber(spelling: "0x10") == nil)
        #expect(JSONNumber(.infinity) == nil)
    }

    @Test(
        "are the nearest double, also on the edges of its range",
        arguments: [
            "0.1", "1e23", "9007199254740993", "2.2250738585072014e-308", "2.2250738585072011e-308", "4.9e-324",
            "1.7976931348623157e308", "123456789012345678901234567890", "0.30000000000000004", "1e-22", "1e22",
            "100000000000000016777215", "100000000000000016777216", "8.98846567431158e307", "5e-325", "-0",
        ])
    func nearest(spelling: String) throws {
        let expected = try #require(Double(spelling))
        #expect(number(spelling).double.bitPattern == expected.bitPattern)
    }

    @Test("out of a double's range are infinite, and too small ones zero")
    func outOfRange() {
        #expect(number("1e400").double == .infinity)
        #expect(number("-1e400").double == -.infinity)
        #expect(number("1e-400").double == 0)
        #expect(number("1e99999999999999999999999999").double == .infinity)
        #expect(number("-1e-99999999999999999999999999").double == 0)
    }

    @Test("any double is written in the shortest spelling, and reads back the same")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            var writer = JSONWriter()
            writer.double(value)
            let read = try JSONValue(parsing: writer.bytes).numberValue
            guard read?.double.bitPattern == value.bitPattern, read?.spelling == value.description else {
                Issue.record("\(value) was read as \(read?.spelling ?? "nothing")")
                continue
            }
        }
    }

    @Test("short decimals are the doubles that the standard library reads")
    func decimals() throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let digits = generator.next() % 1_000_000_000_000_000_000
            let spelling = "\(digits % 1000).\(digits / 1000)e\(Int(generator.next() % 60) - 30)"
            if number(spelling).double != Double(spelling) { Issue.record("\(spelling)") }
        }
    }
}
