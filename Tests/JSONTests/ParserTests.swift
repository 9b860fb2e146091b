import JSON
import Testing

@Suite("The JSON parser")
struct ParserTests {
    @Test(
        "accepts every kind of value, with white space around it",
        arguments: [
            ("null", JSONValue.null), (" true\n", true), ("\tfalse\r", false), ("0", 0), ("-0", .number(number("-0"))),
            ("12345678901234567890", .number(number("12345678901234567890"))), ("1.50", .number(number("1.50"))),
            ("1E+2", .number(number("1E+2"))), (#""""#, ""), (#""a\"b\\c\/d\b\f\n\r\t""#, "a\"b\\c/d\u{8}\u{C}\n\r\t"),
            (#""\u00e9\u20AC\uD83D\uDE00\u0000""#, "é€😀\0"), ("\"é€😀\"", "é€😀"), ("[]", []), ("[ ]", []),
            ("[1,[2],{}]", [1, [2], [:]]), ("{}", [:]),
            ("{ \"a\" : [ null ] , \"b\" : {} }", ["a": [.null], "b": [:]]),
        ] as [(String, JSONValue)])
    func accepts(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(
        "refuses what is no JSON, and says what is wrong and where",
        arguments: [
            ("", JSONError.Reason.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("[", .unexpectedEnd, 1),
            ("{\"a\"", .unexpectedEnd, 4), ("\"abc", .unexpectedEnd, 4), ("tru", .unexpectedEnd, 3),
            ("nulL", .unexpectedByte(UInt8(ascii: "L")), 3), ("[1,]", .unexpectedByte(UInt8(ascii: "]")), 3),
            ("{,}", .unexpectedByte(UInt8(ascii: ",")), 1), ("{\"a\":1,}", .unexpectedByte(UInt8(ascii: "}")), 7),
            ("{1:2}", .unexpectedByte(UInt8(ascii: "1")), 1), ("[1 2]", .unexpectedByte(UInt8(ascii: "2")), 3),
            ("[1}", .unexpectedByte(UInt8(ascii: "}")), 2), ("1 2", .trailingContent, 2), ("01", .invalidNumber, 1),
            ("-", .unexpectedEnd, 1), ("-x", .invalidNumber, 1), ("1.", .unexpectedEnd, 2), ("1.e2", .invalidNumber, 2),
            ("1e+", .unexpectedEnd, 3), ("+1", .unexpectedByte(UInt8(ascii: "+")), 0),
            ("\"a\nb\"", .controlCharacter, 2), (#""\x""#, .invalidEscape, 1), (#""\u12G4""#, .invalidEscape, 5),
            (#""\uD800""#, .loneSurrogate, 1), (#""x\uDC00""#, .loneSurrogate, 2),
            (#""\uD800\u0041""#, .loneSurrogate, 1), (#""\uD800\uDBFF""#, .loneSurrogate, 1),
            (#""\uD800\uE000""#, .loneSurrogate, 1), (#""x\uDBFF\uFFFF""#, .loneSurrogate, 2),
            ("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey, 13), ("\u{FEFF}1", .unexpectedByte(0xEF), 0),
        ] as [(String, JSONError.Reason, Int)])
    func refuses(text: String, reason: JSONError.Reason, offset: Int) {
        #expect(throws: JSONError(reason, at: offset)) { try JSONValue(parsing: text) }
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80], [0xFF], [0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func refusesBadUTF8(bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        for prefix in ["", "seven b", "fourteen bytes"] {
            let text = quote + Array(prefix.utf8) + bytes + quote
            #expect(throws: JSONError(.invalidUTF8, at: 1 + prefix.utf8.count)) { try JSONValue(parsing: text) }
        }
    }

    @Test("counts levels: as many as allowed pass, one more does not")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let options = JSONParseOptions(maximumDepth: 3)
        #expect(try JSONValue(parsing: nested(3), options: options) == [[[]]])
        #expect(throws: JSONError(.tooDeep(limit: 3), at: 3)) { try JSONValue(parsing: nested(4), options: options) }
        #expect(throws: JSONError(.tooDeep(limit: 64), at: 64)) { try JSONValue(parsing: nested(100_000)) }
    }

    @Test("of what lies beside each other no depth adds up")
    func siblings() throws {
        let options = JSONParseOptions(maximumDepth: 3)
        for sibling in ["[]", "[[]]", "{}", #"{"a":[]}"#, #"[{"a":1}]"#] {
            let text = "[" + Array(repeating: sibling, count: 10).joined(separator: ",") + "]"
            #expect(try JSONValue(parsing: text, options: options).arrayValue?.count == 10)
            let deeper = text.dropLast() + ",[[[]]]]"
            #expect(throws: JSONError(.tooDeep(limit: 3), at: text.utf8.count + 2)) {
                try JSONValue(parsing: String(deeper), options: options)
            }
        }
    }

    @Test("refuses each control character in a string, wherever it lies among others", arguments: UInt8(0)..<0x20)
    func controlCharacters(character: UInt8) {
        let plain = [UInt8](repeating: UInt8(ascii: "x"), count: 20)
        for place in plain.indices {
            var text = plain
            text[place] = character
            let quote = [UInt8(ascii: "\"")]
            #expect(throws: JSONError(.controlCharacter, at: 1 + place)) {
                try JSONValue(parsing: quote + text + quote)
            }
        }
        // What begins there is none.
        #expect(throws: Never.self) { try JSONValue(parsing: "\"              !#      \"") }
    }

    @Test("of duplicate names keeps the last when asked to", arguments: [2, 5, 40])
    func duplicates(count: Int) throws {
        let members = (0..<count).map { "\"k\($0)\":\($0)" } + ["\"k1\":\"last\"", #""\u006b0":"decoded""#]
        let text = "{\(members.joined(separator: ","))}"
        let value = try JSONValue(parsing: text, options: JSONParseOptions(duplicateKeys: .lastWins))
        #expect(value.objectValue?.count == count)
        #expect(value["k1"] == "last")
        #expect(value["k0"] == "decoded")
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("an error's description names the place but nothing of the text")
    func description() {
        #expect("\(JSONError(.unexpectedEnd, at: 17))" == "unexpected end of text at byte 17")
        #expect("\(JSONError(.unexpectedByte(0x7D), at: 3))" == "unexpected character '}' at byte 3")
        #expect("\(JSONError(.unexpectedByte(0xEF), at: 0))" == "unexpected byte 0xEF at byte 0")
    }
}

/// A number of this spelling.
func number(_ spelling: String) -> JSONNumber { JSONNumber(spelling: spelling)! }
