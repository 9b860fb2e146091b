import Testing

@testable import Access

@Suite("Keys as they are written")
struct KeyTextTests {
    private func read(_ text: String) -> KeyText? { Array(text.utf8).withUnsafeBytes { KeyText($0) } }

    @Test("A key is read as it was written, and says its kind and selector", arguments: KeyKind.allCases)
    func travel(kind: KeyKind) throws {
        var random = SystemRandomNumberGenerator()
        let key = KeyText(kind, random: &random)
        #expect(read(key.text) == key)
        let parts = key.text.split(separator: "_")
        #expect(parts.count == 4 && parts[0] == "fsk" && parts[1] == kind.rawValue && parts[2] == key.selector)
        #expect(key.selector.count == 12 && key.secret.count == 43 && parts[3].count == 49)
    }

    @Test("No two keys are alike, but for the selector of one that takes another's place")
    func distinct() {
        var random = SystemRandomNumberGenerator()
        let first = KeyText(.server, random: &random)
        let second = KeyText(.server, selector: first.selector, random: &random)
        #expect(first.selector == second.selector && first.secret != second.secret)
        #expect(KeyText(.server, random: &random).selector != first.selector)
    }

    @Test("A key with one character changed, dropped or added is none")
    func mistyped() {
        var random = SystemRandomNumberGenerator()
        let text = Array(KeyText(.admin, random: &random).text)
        for place in text.indices {
            var changed = text
            changed[place] = text[place] == "x" ? "y" : "x"
            #expect(read(String(changed)) == nil, "\(place)")
            var shorter = text
            shorter.remove(at: place)
            #expect(read(String(shorter)) == nil, "\(place)")
        }
        for other in ["", "fsk_", "\(String(text)) ", " \(String(text))", String(text) + "0"] {
            #expect(read(other) == nil, "\(other)")
        }
    }

    @Test("A kind that does not exist is none, whatever its check")
    func kinds() {
        #expect(read("fsk_root_" + String(repeating: "0", count: 12) + "_" + String(repeating: "0", count: 49)) == nil)
    }

    @Test(
        "A time of life is days or hours",
        arguments: [
            ("90d", .hours(2160)), ("12h", .hours(12)), ("never", .forever), ("3650d", .hours(87_600)), ("3651d", nil),
            ("0d", nil), ("-1d", nil), ("+1d", nil), ("d", nil), ("", nil), ("90", nil), ("90m", nil), ("1e3d", nil),
            ("99999999999999999999d", nil),
        ] as [(String, KeyLifetime?)])
    func lifetimes(text: String, lifetime: KeyLifetime?) {
        #expect(KeyLifetime(text) == lifetime)
    }
}
