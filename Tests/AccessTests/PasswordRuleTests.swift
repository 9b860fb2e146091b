import Testing

@testable import Access

@Suite("Passwords")
struct PasswordRuleTests {
    private let name: UserName

    init() throws { name = try #require(UserName("annabel.lee")) }

    private func complaint(_ password: String) -> String? {
        PasswordRule.complaint(about: password, of: name) { ["password", "letmein", "qwertyuiopasdf"].contains($0) }
    }

    @Test(
        "Any characters do, 12 to 128 of them",
        arguments: [
            "three cups of tea", "aaaabbbbcccc", "correct horse", "日本語日本語日本語日本語", "            \u{0}x",
            String(repeating: "ab\u{301}c", count: 32),
        ])
    func good(password: String) { #expect(complaint(password) == nil) }

    @Test("Length is counted in characters, not in bytes")
    func lengths() {
        #expect(complaint("elevenchars") == "has 11 characters: 12 to 128 characters, whichever they are")
        #expect(complaint(String(repeating: "日", count: 11))?.hasPrefix("has 11") == true)
        #expect(complaint(String(repeating: "日x", count: 64)) == nil)
        #expect(complaint(String(repeating: "日x", count: 64) + "y")?.hasPrefix("is too long") == true)
        #expect(complaint(String(repeating: "x", count: 1 << 20))?.hasPrefix("is too long") == true)
    }

    @Test(
        "What is used most is refused, also with what everybody adds to it",
        arguments: [
            "qwertyuiopasdf", "QwertyUiopAsdf", "password12345", "Password!!!!", "12345password!", "letmeinletmein",
            "passwordpassword2026", "letmein 2026 ??",
        ])
    func common(password: String) { #expect(complaint(password)?.contains("most used") == true) }

    @Test("So is the user's own name", arguments: ["annabel.lee", "Annabel.Lee2026", "annabel.leeannabel.lee"])
    func ownName(password: String) { #expect(complaint(password) != nil) }
}
