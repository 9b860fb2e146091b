import JSON
import Testing

@testable import FlagCore

@Suite("Bucketing by fractional")
struct FractionalTests {
    @Test("MurmurHash3 gives the known hashes")
    func murmurVectors() throws {
        guard let file = try VectorFiles.read("fractional_kat.json") else { return }
        let cases = file["murmur3_x86_32_seed0"]?.arrayValue ?? []
        for pair in cases.compactMap(\.arrayValue) {
            let text = try #require(pair[0].stringValue)
            #expect(Self.murmur(text) == pair[1].numberValue?.int64.map { UInt32($0) }, "\(text)")
        }
        print("fractional_kat.json: \(cases.count) hashes of texts")
    }

    @Test("deterministic CBOR gives the known hashes")
    func cborVectors() throws {
        guard let file = try VectorFiles.read("fractional_kat.json") else { return }
        let cases = file["cbor"]?.arrayValue ?? []
        for triple in cases.compactMap(\.arrayValue) {
            #expect(try Self.cbor(triple[0]) == triple[2].numberValue?.int64.map { UInt32($0) }, "\(triple[0])")
        }
        print("fractional_kat.json: \(cases.count) hashes of values")
    }

    @Test(
        "the hash is MurmurHash3 x86 32 with seed 0, however the bytes arrive",
        arguments: [
            ("", 0), ("a", 1_009_084_850), ("abcd", 1_139_631_978), ("user1", 3_305_849_917), ("😀", 3_199_479_546),
        ]
            as [(String, UInt32)])
    func murmur(text: String, hash: UInt32) {
        #expect(Self.murmur(text) == hash)
        let bytes = Array(text.utf8)
        for split in 0...bytes.count {
            var hasher = MurmurHash3()
            bytes[..<split].withUnsafeBytes { hasher.update($0) }
            bytes[split...].withUnsafeBytes { hasher.update($0) }
            #expect(hasher.finalized() == hash)
        }
    }

    @Test(
        "numbers and objects are hashed by value, not by spelling",
        arguments: [
            ("1", "1.0"), ("0", "-0.0"), ("1e3", "1000"), ("0.5", "5e-1"), (#"{"a":1,"bb":2}"#, #"{"bb":2.0,"a":1}"#),
        ])
    func spelling(left: String, right: String) throws {
        #expect(try Self.cbor(JSONValue(parsing: left)) == Self.cbor(JSONValue(parsing: right)))
    }

    @Test("integers are exact to the ends of 64 bits, beyond them numbers are floats")
    func largeNumbers() throws {
        let texts = ["18446744073709551615", "18446744073709551614", "18446744073709551616", "-9223372036854775808"]
        let hashes = try texts.map { try Self.cbor(JSONValue(parsing: $0)) }
        #expect(Set(hashes).count == texts.count)
    }

    /// A flag key and targeting key whose buckets of 100 are known: 14 under version 2, 88 under version 3.
    private static let flagKey = "fractional-flag-shorthand"
    private static let subject: JSONValue = ["targetingKey": "jon@company.com"]

    @Test(
        "by default buckets by flag key and targeting key",
        arguments: [
            (FractionalVersion.v2, 14, "a"), (.v2, 15, "b"), (.v3, 88, "a"), (.v3, 89, "b"),
        ])
    func defaultSubject(version: FractionalVersion, weight: Int64, name: String) {
        // The bucket is the first slot that is not below the first weight, so that one more moves the subject.
        let expected: JSONValue = name == "a" ? "after" : "before"
        let buckets: [JSONValue] = [["before", .integer(weight)], ["after", .integer(100 - weight)]]
        #expect(result(.array(buckets), version) == expected)
        // The same with buckets that are only known at evaluation.
        let computed: [JSONValue] = [["before", ["var": "w"]], ["after", .integer(100 - weight)]]
        let context: JSONValue = ["targetingKey": "jon@company.com", "w": .integer(weight)]
        #expect(result(.array(computed), version, context) == expected)
    }

    @Test(
        "buckets by what the rule says; what cannot be bucketed gives null",
        arguments: [
            (#""user1""#, FractionalVersion.v2, true), (#""""#, .v2, true), ("null", .v2, true), ("1", .v2, false),
            ("true", .v2, false), (#"{"a":1}"#, .v2, false), (#""user1""#, .v3, true), (#""""#, .v3, true),
            ("null", .v3, false), ("1", .v3, true), ("true", .v3, true), (#"{"a":1}"#, .v3, true),
        ])
    func subjects(subject: String, version: FractionalVersion, isBucketed: Bool) throws {
        let context: JSONValue = ["targetingKey": "jon@company.com", "by": try JSONValue(parsing: subject)]
        for weight: JSONValue in [1, ["+": [0, 1]], ["var": ["none", 1]]] {
            let value = result([["var": "by"], ["x", weight]], version, context)
            #expect(value == (isBucketed ? "x" : .null), "\(subject), weight \(weight)")
        }
    }

    @Test("without a targeting key there is nothing to bucket by", arguments: [FractionalVersion.v2, .v3])
    func noTargetingKey(version: FractionalVersion) {
        for context: JSONValue in [[:], ["targetingKey": ""], ["targetingKey": 1], ["targetingKey": .null]] {
            #expect(result([["x", 1]], version, context) == .null)
        }
    }

    @Test(
        "weights are whole numbers whose sum fits 31 bits, a missing one is 1; anything else gives null",
        arguments: [
            (#"[["x"]]"#, "\"x\""), (#"[["x",null]]"#, "\"x\""), (#"[["x",2.0]]"#, "\"x\""),
            (#"[["x",0],["y",1]]"#, "\"y\""),
            (#"[["x",-5],["y",1]]"#, "\"y\""), (#"[["x",2147483647]]"#, "\"x\""),
            (#"[["x",2147483646],["x",1]]"#, "\"x\""),
            (#"[[true,1]]"#, "true"), (#"[[7,1]]"#, "7"), (#"[[null,1]]"#, "null"), (#"[]"#, "null"),
            (#"[["x",0]]"#, "null"),
            (#"[["x",2147483648]]"#, "null"), (#"[["x",2147483647],["x",1]]"#, "null"), (#"[["x",50.5]]"#, "null"),
            (#"[["x","50"]]"#, "null"), (#"[["x",true]]"#, "null"), (#"[[]]"#, "null"), (#"[[["x"],1]]"#, "null"),
            (#"[["x",1],"y"]"#, "null"), (#"[["x",{"-":[1,5]}],[{"cat":["y"]},{"+":[1,1]}]]"#, "\"y\""),
        ])
    func weights(buckets: String, expected: String) throws {
        for version in [FractionalVersion.v2, .v3] {
            #expect(try result(JSONValue(parsing: buckets), version)?.serialized() == expected, "\(buckets)")
        }
    }

    @Test("shares are close to the weights, and growing the last bucket moves nobody between the others")
    func shares() throws {
        var counts = [0, 0, 0, 0]
        let bucketed = try #require(try flag([["a", 10], ["b", 20], ["c", 30], ["d", 40]]))
        for index in 0..<20_000 {
            let variant = try #require(bucketed.variant(for: "user-\(index)"))
            counts[variant] += 1
        }
        for (count, share) in zip(counts, [2_000, 4_000, 6_000, 8_000]) { #expect(abs(count - share) < 250) }
    }

    private func flag(_ buckets: JSONValue) throws -> CompiledFlag? {
        let definition: JSONValue = [
            "state": "ENABLED", "variants": ["a": "a", "b": "b", "c": "c", "d": "d"],
            "targeting": ["fractional": buckets],
        ]
        return CompiledFlag(key: "share", definition: try FlagDefinition(validating: definition), fractional: .v3)
    }

    private func result(
        _ arguments: JSONValue, _ version: FractionalVersion, _ context: JSONValue = subject
    ) -> JSONValue? {
        RuleRun.result(of: ["fractional": arguments], data: context, flagKey: Self.flagKey, fractional: version)
    }

    private static func murmur(_ text: String) -> UInt32 { Array(text.utf8).withUnsafeBytes { MurmurHash3.hash($0) } }

    private static func cbor(_ value: JSONValue) throws -> UInt32 {
        let document = try JSONDocument(parsing: value.serializedBytes())
        return try withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { stack in
            let rule = try #require(Rule(["log": 1], flagKey: "flag", fractional: .v3))
            var evaluator = RuleEvaluator(
                tables: rule.tables, context: EvaluationContext(attributes: nil),
                now: Timestamp(millisecondsSinceEpoch: 0), scratch: ScratchMemory(first: stack, limit: 65_536))
            defer { evaluator.scratch.deallocate() }
            var cbor = CanonicalCBOR()
            try evaluator.encode(Operand(document.root), to: &cbor)
            return cbor.hasher.finalized()
        }
    }
}

extension CompiledFlag {
    /// The variant that a targeting key gets.
    fileprivate func variant(for targetingKey: String) -> Int? {
        Array(targetingKey.utf8).withUnsafeBytes {
            evaluate(
                EvaluationContext(attributes: nil, targetingKey: $0), killSwitch: nil, override: nil,
                now: Timestamp(millisecondsSinceEpoch: 0)
            ).variant
        }
    }
}
