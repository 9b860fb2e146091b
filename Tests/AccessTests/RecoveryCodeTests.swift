import Testing

@testable import Access

@Suite("Codes that are typed")
struct RecoveryCodeTests {
    @Test("Ten codes, each another, of ten characters in two groups")
    func made() {
        var random = SystemRandomNumberGenerator()
        let codes = RecoveryCode.make(random: &random)
        #expect(codes.count == 10 && Set(codes).count == 10)
        for code in codes {
            #expect(code.count == 11 && code.split(separator: "-").map(\.count) == [5, 5])
            #expect(!code.contains { "ilou".contains($0) })
        }
    }

    @Test("However it is typed it is the same; what is none is none")
    func typed() {
        for text in ["k7m2p-0tq4x", "K7M2P 0TQ4X", "k7m2p0tq4x"] {
            #expect(RecoveryCode.canonical(text) == "k7m2p0tq4x")
        }
        for text in ["", "123456", "k7m2p-0tq4", String(repeating: "-", count: 40) + "k7m2p0tq4x"] {
            #expect(RecoveryCode.canonical(text) == nil)
        }
    }

    @Test(
        "Secrets are spelled as RFC 4648 has it",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func base32(bytes: String, text: String) { #expect(TypableText.text(of: Array(bytes.utf8)) == text) }
}
