import DynamoModel
import Testing

@Suite("Numbers")
struct DynamoNumberTests {
    @Test(
        "A number has one canonical text",
        arguments: [
            ("00042", "42"), ("1.0", "1"), ("1.5E2", "150"), ("-0", "0"), ("0.000", "0"), ("-0e5", "0"), (".5", "0.5"),
            ("5.", "5"), ("+7", "7"), ("-1.50", "-1.5"), ("1e-3", "0.001"), ("120e-1", "12"), ("1e10", "10000000000"),
            ("0.10", "0.1"), ("100.001", "100.001"), ("9223372036854775807", "9223372036854775807"),
            ("1e-130", "0." + String(repeating: "0", count: 129) + "1"),
            (
                "9.9999999999999999999999999999999999999e125",
                String(repeating: "9", count: 38) + String(repeating: "0", count: 88)
            ),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("1" + String(repeating: "0", count: 100) + ".0000", "1" + String(repeating: "0", count: 100)),
            ("0" + String(repeating: "0", count: 200) + "3e-5", "0.00003"),
        ])
    func canonicalText(_ text: String, _ canonical: String) throws {
        #expect(try DynamoNumber(text).description == canonical)
        #expect(try DynamoNumber(canonical) == DynamoNumber(text))
    }

    @Test(
        "What is no number of DynamoDB's is refused with its reason",
        arguments: [
            ("", DynamoNumberError.notANumber("")), ("-", .notANumber("-")), ("abc", .notANumber("abc")),
            ("1e", .notANumber("1e")), ("1e+", .notANumber("1e+")), ("1.2.3", .notANumber("1.2.3")),
            (".", .notANumber(".")), ("e5", .notANumber("e5")), ("0x10", .notANumber("0x10")),
            ("NaN", .notANumber("NaN")), ("Infinity", .notANumber("Infinity")), (" 1", .notANumber(" 1")),
            ("1 ", .notANumber("1 ")), ("١", .notANumber("١")),
            ("123456789012345678901234567890123456789", .tooManyDigits),
            ("1.00000000000000000000000000000000000001", .tooManyDigits),
            // The zeros between two digits are digits, however many.
            ("1\(String(repeating: "0", count: 60))1", .tooManyDigits),
            ("1e126", .overflow), ("-1e126", .overflow), ("1e99999999999999999999", .overflow),
            ("1e-131", .underflow), ("0.9e-130", .underflow), ("1e-99999999999999999999", .underflow),
        ])
    func refused(_ text: String, _ error: DynamoNumberError) {
        #expect(throws: error) { try DynamoNumber(text) }
    }

    @Test("Whole numbers of 64 bits keep their value", arguments: [0, 1, -1, 10, -100, 42, .max, .min, 1_000_000_007])
    func whole(_ value: Int64) throws {
        #expect(DynamoNumber(value).int64 == value)
        #expect(try DynamoNumber(String(value)) == DynamoNumber(value))
        #expect(DynamoNumber(value).description == String(value))
    }

    @Test(
        "What is not whole or does not fit 64 bits has no whole value",
        arguments: ["0.5", "9223372036854775808", "-9223372036854775809", "1e19", "1e125", "-1e-3"])
    func notWhole(_ text: String) throws { #expect(try DynamoNumber(text).int64 == nil) }

    @Test(
        "Sums are exact",
        arguments: [
            ("1", "2", "3"), ("0.1", "0.2", "0.3"), ("1", "-1", "0"), ("-5", "3", "-2"), ("5", "-8", "-3"),
            ("99", "1", "100"), ("1e38", "-1", String(repeating: "9", count: 38)), ("1e125", "-1e125", "0"),
            ("1e-130", "1e-130", "0." + String(repeating: "0", count: 129) + "2"), ("0", "7", "7"), ("7", "0", "7"),
            (
                "50000000000000000000000000000000000000", "50000000000000000000000000000000000000",
                "1" + String(repeating: "0", count: 38)
            ),
        ])
    func sums(_ left: String, _ right: String, _ sum: String) throws {
        #expect(try DynamoNumber(left).adding(DynamoNumber(right)).description == sum)
        #expect(try DynamoNumber(right).adding(DynamoNumber(left)).description == sum)
        #expect(try DynamoNumber(sum).subtracting(DynamoNumber(right)) == DynamoNumber(left))
    }

    @Test(
        "A sum that cannot be held exactly is an error, never rounded",
        arguments: [
            ("1e38", "1", DynamoNumberError.tooManyDigits), ("1e125", "1e-130", .tooManyDigits),
            ("9.9999999999999999999999999999999999999e125", "1e88", .overflow),
            ("9e38", "-85000000000000000000000000000000000001", .tooManyDigits),
        ])
    func inexactSums(_ left: String, _ right: String, _ error: DynamoNumberError) throws {
        let (left, right) = (try DynamoNumber(left), try DynamoNumber(right))
        #expect(throws: error) { try left.adding(right) }
    }

    @Test("Numbers sort by value")
    func order() throws {
        let sorted = [
            "-9.9e125", "-1e38", "-100", "-99.9", "-1.01", "-1", "-0.5", "-1e-130", "0", "1e-130", "9e-130", "0.5",
            "0.55", "1", "1.01", "2", "9", "10", "99.9", "100", "1e38", "9.9e125",
        ]
        let numbers = try sorted.map { try DynamoNumber($0) }
        for (index, number) in numbers.enumerated() {
            for (other, otherNumber) in numbers.enumerated() {
                #expect((number < otherNumber) == (index < other), "\(number) < \(otherNumber)")
            }
        }
    }

    @Test("Doubles are the nearest", arguments: [("0.1", 0.1), ("-2.5", -2.5), ("1e100", 1e100), ("0", 0)])
    func double(_ text: String, _ double: Double) throws { #expect(try DynamoNumber(text).double == double) }
}
