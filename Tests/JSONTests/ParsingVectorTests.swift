import Foundation
import JSON
import TestSupport
import Testing

@Suite("The public JSON parsing suite")
struct ParsingVectorTests {
    private let lenient = JSONParseOptions(maximumDepth: 512, duplicateKeys: .lastWins)

    @Test("what must parse parses, what must be refused is refused, and nothing crashes")
    func suite() throws {
        guard let cases = try readCases() else { return }
        var counts: [Character: (accepted: Int, refused: Int)] = [:]
        for (name, text) in cases {
            let isAccepted = (try? JSONValue(parsing: text, options: lenient)) != nil
            let kind = try #require(name.first)
            if isAccepted {
                counts[kind, default: (0, 0)].accepted += 1
            } else {
                counts[kind, default: (0, 0)].refused += 1
            }
            if kind == "y" { #expect(isAccepted, "\(name) must parse") }
            if kind == "n" { #expect(!isAccepted, "\(name) must be refused") }
        }
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
            print("json_parsing.json, \(kind)_: \(count.accepted) accepted, \(count.refused) refused")
        }
    }

    @Test("what was parsed is written so that it parses to the same")
    func roundTrip() throws {
        guard let cases = try readCases() else { return }
        for (name, text) in cases {
            guard let value = try? JSONValue(parsing: text, options: lenient) else { continue }
            for pretty in [false, true] {
                let again = try JSONValue(parsing: value.serialized(pretty: pretty), options: lenient)
                #expect(again == value, "\(name)")
            }
        }
    }

    @Test("every prefix of a document is refused, and its error lies within it")
    func prefixes() throws {
        guard let cases = try readCases() else { return }
        for (name, text) in cases where text.count < 2_000 {
            for count in 0..<text.count {
                do {
                    _ = try JSONValue(parsing: Array(text.prefix(count)), options: lenient)
                    // Only what ends in white space, or in a number's digits, has whole documents before its end.
                    let isWhole = try? JSONValue(parsing: Array(text.prefix(count)) + [0x20], options: lenient)
                    #expect(isWhole != nil, "\(name), \(count) bytes")
                } catch {
                    #expect((0...count).contains(error.offset), "\(name), \(count) bytes: \(error)")
                }
            }
        }
    }

    private func readCases() throws -> [(name: String, text: [UInt8])]? {
        let url = URL(filePath: Repository.sharedVectors + "/json_parsing.json").standardized
        guard let data = try? Data(contentsOf: url) else {
            print("skipped: there is no \(url.path)")
            return nil
        }
        let file = try JSONValue(parsing: [UInt8](data))
        return try (file["files"]?.objectValue ?? [:]).members.map { name, text in
            (name, [UInt8](try #require(Data(base64Encoded: text.stringValue ?? "-"))))
        }
    }
}
