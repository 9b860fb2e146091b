import Testing

@testable import FlagServer
@testable import HTTPRouting

private func decode(_ text: String, plusIsSpace: Bool = false) throws(PercentEncoding.Failure) -> String {
    let bytes = Array(text.utf8)
    do {
        return try bytes.withUnsafeBytes { try PercentEncoding.decoded($0, plusIsSpace: plusIsSpace) }
    } catch let failure as PercentEncoding.Failure {
        throw failure
    } catch {
        fatalError("only one error type is thrown")
    }
}

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test(
        "Escapes are decoded once",
        arguments: [
            ("plain", "plain"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("%25%32%35", "%25"), ("100%25", "100%"),
            ("%C3%A9", "é"), ("é", "é"), ("a+b", "a+b"), ("", ""), ("%00", "\0"),
        ])
    func decodes(encoded: String, plain: String) throws {
        #expect(try decode(encoded) == plain)
    }

    @Test("A plus is a space in query strings only")
    func plus() throws {
        #expect(try decode("a+b%2Bc", plusIsSpace: true) == "a b+c")
    }

    @Test(
        "A broken escape is refused where it is",
        arguments: [("%", 0), ("a%2", 1), ("%zz", 0), ("ok%2Fbad%G0", 8), ("%+1", 0)])
    func badEscapes(text: String, offset: Int) {
        #expect(throws: PercentEncoding.Failure.badEscape(offset: offset)) { try decode(text) }
    }

    @Test("What is not UTF-8 after decoding is refused", arguments: ["%FF", "%C3", "%ED%A0%80", "%C0%AF"])
    func notUTF8(text: String) {
        #expect(throws: PercentEncoding.Failure.notUTF8) { try decode(text) }
    }

    @Test(
        "Encoding a segment and decoding it gives the text back",
        arguments: ["a b", "a/b?c#d%", "ключ", "~-._", "line\nfeed", "\u{1}", ""])
    func roundTrip(text: String) throws {
        let encoded = PercentEncoding.encodedSegment(text)
        #expect(encoded.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") })
        #expect(try decode(encoded) == text)
    }
}
