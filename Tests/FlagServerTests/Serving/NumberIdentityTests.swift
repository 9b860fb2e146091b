import Bytes
import FlagCache
import FlagStore
import JSON
import Testing

@testable import Evaluation
@testable import FlagCore
@testable import FlagServer

/// Which spellings are one number: the same for every part that compares values.
@Suite("One identity of numbers")
struct NumberIdentityTests {
    /// Spellings of few numbers around every bound there is: 2⁵³, 2⁶³, 2⁶⁴, 10²¹, what a double holds, what is long.
    static let spellings: [String] = [
        "0", "0.0", "0e5", "1", "1.0", "10e-1", "-1", "-1.0e0", "0.1", "0.10", "1e-1", "2.50", "2.5",
        "9007199254740992", "9007199254740993", "9007199254740993.0", "9007199254740992.0", "9.007199254740992e15",
        "9223372036854775807", "9223372036854775808", "9223372036854775807.0", "9223372036854775808.0",
        "-9223372036854775808", "-9223372036854775809", "-9223372036854775808.0",
        "12345678901234567890", "12345678901234567891", "1234567890123456789e1", "1.2345678901234567e19",
        "12345678901234567168", "18446744073709551615", "18446744073709551616", "18446744073709551616.0",
        "1.8446744073709552e19",
        "100000000000000000000", "1e20", "1.0E+20", "123456789012345680000", "123456789012345680001",
        "1.2345678901234568e20", "-1.2345678901234568e20", "-123456789012345680000",
        "1e21", "1e+21", "1000000000000000000000", "1000000000000000000001",
        "123456789012345678901234567890", "123456789012345678901234567891", "1.2345678901234568e29", "1e300",
        "1.7976931348623157e308", "17976931348623157e292", "9007199254740993." + String(repeating: "0", count: 60),
        "0.1" + String(repeating: "0", count: 60), "1" + String(repeating: "0", count: 60),
        "1" + String(repeating: "0", count: 59) + "1",
    ]

    /// What a spelling is, said in another way than the program's: digits are what they are, anything else is what
    /// JavaScript would write the double as.
    private static func meaning(of spelling: String) -> String {
        if spelling.allSatisfy({ $0.isNumber || $0 == "-" }) { return spelling }
        let double = Double(spelling)!
        guard double.rounded() == double, double.magnitude < 1e21 else { return "\(double)" }
        if let whole = Int64(exactly: double) { return "\(whole)" }
        if let whole = UInt64(exactly: double) { return "\(whole)" }
        let digits = double.magnitude.description.prefix { $0 != "e" }.filter(\.isNumber)
        let length = double.magnitude >= 1e20 ? 21 : 20
        return (double < 0 ? "-" : "") + digits + String(repeating: "0", count: length - digits.count)
    }

    @Test(
        "Two spellings are one number for ===, ==, constant sets, lists and the digest, or for none",
        arguments: spellings)
    func pairs(left: String) throws {
        for right in Self.spellings {
            let isSame = Self.meaning(of: left) == Self.meaning(of: right)
            let comment: Comment = "\(left) and \(right)"
            for rule in [
                #"{"===":[{"var":"x"},\#(right)]}"#, #"{"===":[\#(right),{"var":"x"}]}"#,
                #"{"==":[{"var":"x"},\#(right)]}"#, #"{"!":[{"!=":[{"var":"x"},\#(right)]}]}"#,
                #"{"in":[{"var":"x"},[\#(right),"a","b","c","d","e"]]}"#, #"{"in":[{"var":"x"},[\#(right)]]}"#,
                #"{"===":[[{"var":"x"}],[\#(right)]]}"#,
                #"{"===":[{"merge":[{"var":"x"}]},{"merge":[\#(right)]}]}"#,
            ] {
                #expect(try holds(rule, of: left) == isSame, "\(comment) in \(rule)")
            }
            #expect(try haveSameDigest(left, right) == isSame, comment)
            // What has no other name than an exponent is no key.
            if Self.meaning(of: left).allSatisfy({ $0.isNumber || $0 == "-" }) {
                let key = Self.meaning(of: right)
                #expect(try holds(#"{"segment":["s",{"var":"x"}]}"#, of: left, listing: key) == isSame, comment)
            }
        }
    }

    @Test("Random whole numbers of every size are told apart by their last digit, in every part")
    func random() throws {
        var random = SystemRandomNumberGenerator()
        for length in 1...60 {
            var digits = String(Int.random(in: 1...9, using: &random))
            while digits.count < length { digits += String(Int.random(in: 0...9, using: &random)) }
            let last = Int(String(digits.last!))!
            let other = String(digits.dropLast()) + String((last + 1) % 10)
            for (left, right, isSame) in [(digits, digits, true), (digits, other, false)] {
                #expect(try holds(#"{"===":[{"var":"x"},\#(right)]}"#, of: left) == isSame, "\(left) and \(right)")
                #expect(
                    try holds(#"{"in":[{"var":"x"},[\#(right),1,2,3,4,5]]}"#, of: left)
                        == (isSame || length == 1 && (1...5).contains(last)), "\(left) and \(right)")
                #expect(
                    try holds(#"{"segment":["s",{"var":"x"}]}"#, of: left, listing: right) == isSame,
                    "\(left) and \(right)")
                #expect(try haveSameDigest(left, right) == isSame, "\(left) and \(right)")
            }
        }
    }

    @Test("Zero below zero is zero, and yet a divisor of its own: the digest tells it apart")
    func negativeZero() throws {
        #expect(try holds(#"{"===":[{"var":"x"},0]}"#, of: "-0.0"))
        #expect(try digest(#"{"x":-0.0}"#) != digest(#"{"x":0}"#))
    }

    @Test("One number falls into one bucket, however it is spelled")
    func buckets() throws {
        let names = (0..<1_000).map { "bucket-\($0)" }
        let definition = FlagDefinition(keeping: [
            "state": "ENABLED", "variants": .object(JSONObject(names.map { (key: $0, value: JSONValue.integer(1)) })),
            "targeting": ["fractional": .array([["var": "x"]] + names.map { [.string($0)] })],
        ])
        let flag = CompiledFlag(key: "f", definition: definition, fractional: .v3)
        var buckets: [String: Int?] = [:]
        for spelling in Self.spellings {
            let context = try JSONDocument(parsing: Array(#"{"x":\#(spelling)}"#.utf8))
            let bucket = flag.evaluate(
                EvaluationContext(attributes: context.root), killSwitch: nil, override: nil,
                now: Timestamp(millisecondsSinceEpoch: 0)
            ).variant
            let known = buckets.updateValue(bucket, forKey: Self.meaning(of: spelling))
            #expect(known == nil || known == bucket, "\(spelling)")
        }
    }

    @Test(
        "Values that are the same name the same variant",
        arguments: [
            ("[2,1e2]", "[2.0,100]", "[2,100]"), (#"{"b":2,"a":1}"#, #"{"a":1.0,"b":2e0}"#, #"{"a":1,"b":2}"#),
            ("12345678901234567168", "1.2345678901234567e19", "12345678901234567168"),
            (#"[{"c":[],"b":"\u0041"}]"#, #"[{"b":"A","c":[]}]"#, #"[{"b":"A","c":[]}]"#),
        ])
    func variants(left: String, right: String, name: String) throws {
        let definition = FlagDefinition(keeping: [
            "state": "ENABLED", "variants": .object(JSONObject([(key: name, value: JSONValue.integer(1))])),
            "targeting": ["var": "x"],
        ])
        let flag = CompiledFlag(key: "f", definition: definition, fractional: .v3)
        for spelling in [left, right] {
            let context = try JSONDocument(parsing: Array(#"{"x":\#(spelling)}"#.utf8))
            let evaluation = flag.evaluate(
                EvaluationContext(attributes: context.root), killSwitch: nil, override: nil,
                now: Timestamp(millisecondsSinceEpoch: 0))
            #expect(evaluation.variant == 0, "\(spelling): \(evaluation)")
        }
        #expect(try digest(#"{"x":\#(left)}"#) == digest(#"{"x":\#(right)}"#))
    }

    // MARK: - Dependencies

    private func holds(_ rule: String, of x: String, listing key: String? = nil) throws -> Bool {
        let definition = FlagDefinition(
            keeping: try JSONValue(
                parsing: #"{"state":"ENABLED","variants":{"true":1,"false":0},"targeting":\#(rule)}"#))
        let flag = CompiledFlag(key: "f", definition: definition, fractional: .v3)
        let context = try JSONDocument(parsing: Array(#"{"x":\#(x)}"#.utf8))
        let segment = OneSegment(
            CompiledSegment(
                name: "s", condition: nil, keys: key.flatMap { LoopSegmentKeys(listing: [$0]) }, fractional: .v3))
        var run = EvaluationRun(now: Timestamp(millisecondsSinceEpoch: 0), surroundings: segment)
        let evaluation = flag.evaluate(
            EvaluationContext(attributes: context.root), killSwitch: nil, override: nil, in: &run)
        return flag.variants[try #require(evaluation.variant, "\(evaluation)")].name == "true"
    }

    /// Whether contexts with two spellings in the same places have one digest.
    private func haveSameDigest(_ left: String, _ right: String) throws -> Bool {
        try digest(#"{"x":[\#(left)],"y":\#(left)}"#) == digest(#"{"y":\#(right),"x":[\#(right)]}"#)
    }

    private func digest(_ context: String) throws -> KeyedDigest.Value {
        let document = try JSONDocument(parsing: Array(context.utf8))
        return ContextDigest.of(document.root, key: KeyedDigest.Key(low: 1, high: 2))
    }
}

/// Surroundings with one segment.
private final class OneSegment: EvaluationSurroundings {
    private let only: CompiledSegment

    init(_ only: CompiledSegment) { self.only = only }

    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? { nil }
    func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? { only }
}
