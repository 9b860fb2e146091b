import Testing

@testable import Bytes

@Suite("Base64 for URLs")
struct URLSafeTextTests {
    @Test(
        "A text is that of whole bytes, in one way only",
        arguments: [
            ("", []), ("AA", [0]), ("_w", [255]), ("-_8", [251, 255]), ("AAAA", [0, 0, 0]), ("AB", nil), ("A", nil),
            ("A=", nil), ("+w", nil), ("/w", nil), ("AA A", nil), ("é", nil),
        ] as [(String, [UInt8]?)])
    func text(text: String, bytes: [UInt8]?) {
        #expect(URLSafeText.decode(text.utf8) == bytes)
        if let bytes { #expect(URLSafeText.text(of: bytes) == text) }
    }

    @Test("Bytes of any number survive", arguments: 0..<10)
    func lengths(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 77 + 251) }
        #expect(URLSafeText.decode(URLSafeText.encode(bytes)) == bytes)
    }
}
