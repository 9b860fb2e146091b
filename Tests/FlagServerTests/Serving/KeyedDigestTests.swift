import Bytes
import JSON
import Testing

@testable import Evaluation
@testable import FlagServer

/// SipHash-2-4-128 of the bytes 0, 1, 2, … of so many bytes under the key 00 01 … 0f, as OpenSSL 3.0 computes it:
/// `openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:16 -in FILE SIPHASH`.
private let knownAnswers: [(count: Int, digest: String)] = [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"), (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"), (16, "6ee2a4ca67b054bbfd3315bf85230577"),
    (33, "77c6077146f01c32b6b69d5f4ea9ffcf"), (63, "5150d1772f50834a503e069a973fbd7c"),
]

private let key = KeyedDigest.Key(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)

private func hexadecimal(_ value: KeyedDigest.Value) -> String {
    [value.low, value.high].map { word in
        (0..<8).map { byte in
            let text = String(word >> UInt64(byte * 8) & 0xFF, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }.joined()
}

private func contextDigest(_ text: String) throws -> KeyedDigest.Value {
    let tape = JSONTape()
    return try Array(text.utf8).withUnsafeBytes { bytes in
        try tape.parse(bytes)
        return ContextDigest.of(tape.root, key: key)
    }
}

@Suite("Digests")
struct KeyedDigestTests {
    @Test("The digest is SipHash-2-4-128, however the bytes are cut", arguments: knownAnswers.indices)
    func knownAnswer(index: Int) {
        let (count, expected) = knownAnswers[index]
        let bytes = (0..<count).map { UInt8($0) }
        for cut in 0...count {
            var digest = KeyedDigest(key)
            bytes[..<cut].withUnsafeBytes { digest.update($0) }
            bytes[cut...].withUnsafeBytes { digest.update($0) }
            #expect(hexadecimal(digest.finish()) == expected)
        }
    }

    @Test("A digest depends on its key")
    func keys() {
        let first = KeyedDigest(KeyedDigest.Key(deriving: "store-1")).finish()
        #expect(first == KeyedDigest(KeyedDigest.Key(deriving: "store-1")).finish())
        #expect(first != KeyedDigest(KeyedDigest.Key(deriving: "store-2")).finish())
    }

    @Test("Sums carry from the low half to the high half")
    func sums() {
        var sum = KeyedDigest.Value(low: .max, high: 1)
        sum += KeyedDigest.Value(low: 2, high: 3)
        #expect(sum == KeyedDigest.Value(low: 1, high: 5))
    }

    @Test(
        "Contexts that mean the same have the same digest",
        arguments: [
            (#"{"a":1,"b":"x"}"#, #"{ "b" : "x", "a" : 1 }"#),
            (#"{"a":{"c":[1,2],"d":null}}"#, #"{"a":{"d":null,"c":[1,2]}}"#),
            (#"{"a":2}"#, #"{"a":2.0}"#), (#"{"a":200}"#, #"{"a":2e2}"#), (#"{"a":0.5}"#, #"{"a":5E-1}"#),
            (#"{"a":"é"}"#, #"{"a":"\u00e9"}"#), (#"{"a/b":1}"#, #"{"a\/b":1.0}"#),
        ])
    func equalContexts(first: String, second: String) throws {
        #expect(try contextDigest(first) == contextDigest(second))
    }

    @Test(
        "Contexts that differ have different digests",
        arguments: [
            (#"{"a":1}"#, #"{"a":2}"#), (#"{"a":1}"#, #"{"a":"1"}"#), (#"{"a":1}"#, #"{"a":true}"#),
            (#"{"a":0}"#, #"{"a":-0}"#), (#"{"a":0}"#, #"{"a":null}"#), (#"{"a":null}"#, "{}"),
            (#"{"a":[]}"#, #"{"a":{}}"#), (#"{"a":[1,2]}"#, #"{"a":[2,1]}"#), (#"{"a":[[1],2]}"#, #"{"a":[1,[2]]}"#),
            (#"{"ab":"c"}"#, #"{"a":"bc"}"#), (#"{"a":"b","c":"d"}"#, #"{"a":"d","c":"b"}"#),
            (#"{"a":{"b":1}}"#, #"{"b":{"a":1}}"#), (#"{"a":1e999}"#, #"{"a":-1e999}"#),
        ])
    func differentContexts(first: String, second: String) throws {
        #expect(try contextDigest(first) != contextDigest(second))
    }
}
