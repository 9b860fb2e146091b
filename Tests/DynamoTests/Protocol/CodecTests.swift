import Bytes
import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Codec of typed values")
struct CodecTests {
    @Test(
        "A value is answered as it was stored, numbers in canonical form",
        arguments: [
            (#"{"S":""}"#, nil), (#"{"S":"é\u0000\"\\"}"#, nil), (#"{"N":"00042.10"}"#, #"{"N":"42.1"}"#),
            (#"{"N":"-0"}"#, #"{"N":"0"}"#), (#"{"N":"1.5E2"}"#, #"{"N":"150"}"#),
            (#"{"B":""}"#, nil), (#"{"B":"AA=="}"#, nil), (#"{"B":"AAE="}"#, nil), (#"{"B":"AAEC"}"#, nil),
            (#"{"BOOL":false}"#, nil), (#"{"BOOL":"yes"}"#, #"{"BOOL":true}"#), (#"{"NULL":true}"#, nil),
            (#"{"L":[]}"#, nil), (#"{"M":{}}"#, nil), (#"{"L":[{"S":"a"},{"M":{"":{"N":"1"}}}]}"#, nil),
            (#"{"SS":["b","a"]}"#, #"{"SS":["a","b"]}"#), (#"{"NS":["10","9"]}"#, #"{"NS":["9","10"]}"#),
            (#"{"BS":["/w==","AA=="]}"#, #"{"BS":["AA==","/w=="]}"#),
        ] as [(String, String?)])
    func roundTrip(value: String, canonical: String?) throws {
        let tape = TableService.makeTape()
        let read = try Array(value.utf8).withUnsafeBytes { bytes in
            try tape.parse(bytes)
            try Shape.attributeValue.checkType(tape.root)
            return try AttributeValueReader.value(tape.root)
        }
        var writer = JSONWriter()
        writer.attributeValue(read)
        #expect(try JSONValue(parsing: writer.bytes, options: JSONParseOptions()) == .text(canonical ?? value))
    }

    @Test("Base64 of every length comes back; what is not canonical is refused")
    func base64() throws {
        for count in 0..<100 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89) }
            let text = BinaryText.encode(bytes)
            #expect(try text.withUnsafeBytes { try BinaryText.decode($0) } == bytes)
        }
        for text in ["a", "ab", "abc", "a===", "ab=c", "YR==", "YWJ=", "====", "é==", "a b="] {
            #expect(throws: BinaryText.Failure.self) {
                try Array(text.utf8).withUnsafeBytes { try BinaryText.decode($0) }
            }
        }
    }

    @Test("The checksum is that of zlib", arguments: [("", 0), ("{}", 2_745_614_147), ("123456789", 0xCBF4_3926)])
    func checksum(text: String, expected: UInt32) {
        #expect(Checksum.crc32(Array(text.utf8)) == expected)
    }

    @Test("The checksum of a long text is that of its bytes one by one")
    func longChecksum() {
        let bytes = (0..<1003).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
        var state: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? 0xEDB8_8320 ^ state >> 1 : state >> 1 }
        }
        #expect(Checksum.crc32(bytes) == ~state)
    }

    @Test("An operation is found by its target, and only by the whole of it")
    func targets() {
        for operation in DynamoOperation.allCases {
            let target = "DynamoDB_20120810.\(operation.rawValue)"
            #expect(Array(target.utf8).withUnsafeBytes { DynamoOperation(target: $0) } == operation)
        }
        for target in ["", "GetItem", "DynamoDB_20120810.", "DynamoDB_20120810.getItem", "DynamoDB_20111205.GetItem"] {
            #expect(Array(target.utf8).withUnsafeBytes { DynamoOperation(target: $0) } == nil)
        }
    }
}
