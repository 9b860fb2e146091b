import Foundation
import Testing

/// `docs/security.md` goes through the OWASP Application Security Verification Standard by number.
@Suite("Security page")
struct SecurityPageTests {
    /// The requirements of levels 1 and 2 of version 5.0.0, by chapter.
    private static let requirements: KeyValuePairs = [
        "4": "1.1 1.2 1.3 2.1 3.1 3.2 4.1 4.2 4.3 4.4",
        "6": """
        1.1 1.2 1.3 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 5.1 5.2 5.3 \
        5.4 5.5 6.1 6.2 6.3 8.1 8.2 8.3 8.4
        """,
        "7": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 4.1 4.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2",
        "8": "1.1 1.2 2.1 2.2 2.3 3.1 4.1",
        "9": "1.1 1.2 1.3 2.1 2.2 2.3 2.4",
        "10": """
        1.1 1.2 2.1 2.2 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10 4.11 5.1 5.2 5.3 5.4 5.5 6.1 6.2 \
        7.1 7.2 7.3
        """,
        "11": "1.1 1.2 2.1 2.2 2.3 3.1 3.2 3.3 4.1 4.2 4.3 4.4 5.1 6.1",
        "14": "1.1 1.2 2.1 2.2 2.3 2.4 3.1 3.2 3.3",
        "16": "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3",
    ]

    /// The rows of the page's tables.
    private static let rows: [[String]] = {
        let page = SourceTree.markdown.first { $0.path == "docs/security.md" }
        return (page?.lines ?? []).filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }()

    /// Those of requirements.
    private static let verdicts = rows.filter { $0.count == 4 && $0[0].first?.isNumber ?? false }

    @Test("No requirement is missing, and none is there twice")
    func complete() {
        let expected = Self.requirements.flatMap { chapter, numbers in
            numbers.split(separator: " ").map { "\(chapter).\($0)" }
        }
        #expect(Self.verdicts.map { $0[0] } == expected)
    }

    @Test("Each has a test, a reason why it does not apply, or is not met")
    func verdicts() {
        for row in Self.verdicts {
            let isOne = ["test `", "not applicable: ", "not met: "].contains { row[3].hasPrefix($0) }
            #expect(isOne, "\(row[0]): \(row[3])")
        }
    }

    @Test("Each test that is named exists")
    func tests() {
        let files = SourceTree.swift + SourceTree.python
        for row in Self.verdicts {
            for name in Self.testNames(in: row[3]) {
                let parts = name.split(separator: name.contains("::") ? "::" : "/").map(String.init)
                let (file, function) = name.contains("::") ? (parts[0], "def ") : (parts[0] + ".swift", "func ")
                let exists = files.contains { candidate in
                    candidate.path.hasPrefix("Tests/") && candidate.path.hasSuffix("/" + file)
                        && candidate.text.contains(function + parts[1] + "(")
                }
                #expect(exists, "\(row[0]): \(name)")
            }
        }
    }

    /// What stands in backticks and is spelled as a test: `SomeTests/name` or `test_file.py::test_name`.
    private static func testNames(in text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element) }.filter { $0.contains("Tests/") || $0.contains("::") }
    }

    @Test("Every key that there is has its row")
    func inventory() {
        let keys = Self.rows.filter { $0.count == 5 }.map { $0[0] }
        #expect(Set(keys).isSuperset(of: ["API keys", "access keys", "the server's key", "TLS"]))
    }

    @Test("What is sensitive is told by sorts, each with what protects it")
    func classes() {
        let sorts = Self.rows.filter { $0.count == 3 && $0[0] != "sort" && !$0[0].hasPrefix("-") }
        #expect(sorts.count == 4 && sorts.allSatisfy { !$0[2].isEmpty })
    }
}
