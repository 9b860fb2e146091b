import Testing

/// Rules on what the language allows and this house does not.
@Suite("Safety")
struct SafetyTests {
    /// Forbidden in the program, by the reason for it.
    static let forbidden: [(pattern: String, reason: String)] = [
        ("\\btry!", "an error would be a crash"),
        ("\\bas!", "a wrong type would be a crash"),
        ("[\\w\\)\\]]!(?![=\\w])", "nothing would be a crash: unwrap it"),
        ("\\.global\\(", "Dispatch's global queues keep work waiting for seconds"),
        ("\\bTask(\\.detached)? *\\{", "work that matters runs on queues of its own"),
        ("@preconcurrency", "it silences the compiler"),
    ]

    @Test("The program does nothing that would crash or stall it", arguments: SourceTree.sources)
    func forbiddenCode(file: SourceTree.File) throws {
        let patterns = try Self.forbidden.map { (try Regex($0.pattern), $0.reason) }
        for (index, line) in SwiftText(file.text).lines.enumerated() {
            for (pattern, reason) in patterns where line.contains(pattern) {
                Issue.record("\(file.path):\(index + 1) \(line): \(reason)")
            }
        }
    }

    @Test("No test forces a try", arguments: SourceTree.swift)
    func testsThrow(file: SourceTree.File) throws {
        let pattern = try Regex("\\btry!")
        for (index, line) in SwiftText(file.text).lines.enumerated() where line.contains(pattern) {
            Issue.record("\(file.path):\(index + 1) \(line)")
        }
    }

    @Test("Whoever vouches for safety between threads says why", arguments: SourceTree.sources)
    func uncheckedIsProved(file: SourceTree.File) throws {
        let code = SwiftText(file.text).lines
        let pattern = try Regex("@unchecked Sendable|nonisolated\\(unsafe\\)|unsafeBitCast|@unchecked")
        for (index, line) in code.enumerated() where line.contains(pattern) {
            let around = file.lines[max(0, index - 6)...min(file.lines.count - 1, index + 4)]
            if !around.contains(where: { $0.contains("// ") || $0.contains("/// ") }) {
                Issue.record("\(file.path):\(index + 1) \(line)")
            }
        }
    }
}
