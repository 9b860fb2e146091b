import Testing

/// Rules on what the language allows and this house does not.
@Suite("Safety")
struct SafetyTests {
    /// Forbidden in the program, by the reason for it.
    static let forbidden: [(mark: String, pattern: String, reason: String)] = [
        ("try!", "\\btry!", "an error would be a crash"),
        ("as!", "\\bas!", "a wrong type would be a crash"),
        ("!", "[\\w\\)\\]]!(?![=\\w])", "nothing would be a crash: unwrap it"),
        (".global(", "\\.global\\(", "Dispatch's global queues keep work waiting for seconds"),
        ("qos:", "\\bqos:", "threads inherit priorities that only root may raise again"),
        ("Task", "\\bTask(\\.detached)? *\\{", "work that matters runs on queues of its own"),
        ("@preconcurrency", "@preconcurrency", "it silences the compiler"),
    ]

    @Test("The program does nothing that would crash or stall it")
    func forbiddenCode() throws {
        for file in SourceTree.sources {
            let patterns = try Self.forbidden.map { ($0.mark, try Regex($0.pattern), $0.reason) }
            for (index, line) in file.code.lines.enumerated() {
                // Patterns are slow, so they only look at lines that have what they are about.
                for (mark, pattern, reason) in patterns where line.contains(mark) && line.contains(pattern) {
                    Issue.record("\(file.path):\(index + 1) \(line): \(reason)")
                }
            }
        }
    }

    @Test("No test forces a try")
    func testsThrow() {
        for file in SourceTree.swift {
            for (index, line) in file.code.lines.enumerated() where line.contains("try!") {
                Issue.record("\(file.path):\(index + 1) \(line)")
            }
        }
    }

    @Test("Whoever vouches for safety between threads says why")
    func uncheckedIsProved() {
        for file in SourceTree.sources {
            let code = file.code.lines
            let words = ["@unchecked", "nonisolated(unsafe)", "unsafeBitCast"]
            for (index, line) in code.enumerated() where words.contains(where: { line.contains($0) }) {
                let around = file.lines[max(0, index - 6)...min(file.lines.count - 1, index + 4)]
                if !around.contains(where: { $0.contains("// ") || $0.contains("/// ") }) {
                    Issue.record("\(file.path):\(index + 1) \(line)")
                }
            }
        }
    }
}
