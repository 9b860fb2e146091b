import Testing

/// Rules on what is explained.
@Suite("Documentation")
struct DocumentationTests {
    /// What each target explains anywhere, by name: a protocol explains for those who conform to it, also in targets
    /// that know it.
    private static let explained: [String: Set<String>] = SourceTree.sources.reduce(into: [:]) { result, file in
        for declaration in Declaration.all(in: file) where declaration.isExplained {
            result[file.target ?? "", default: []].insert(declaration.name)
        }
    }

    @Test("What another target may use is explained")
    func packageDeclarations() {
        for file in SourceTree.sources {
            let known = StructureTests.imports[file.target ?? ""] ?? []
            let explained = known.reduce(Self.explained[file.target ?? ""] ?? []) { $0.union(Self.explained[$1] ?? []) }
            for declaration in Declaration.all(in: file) where declaration.isPackage && !declaration.isExplained {
                if declaration.isStandard || explained.contains(declaration.name) { continue }
                Issue.record("\(file.path):\(declaration.line) \(declaration.text)")
            }
        }
    }
}

/// A declaration in a source file.
private struct Declaration {
    /// What kind of thing it is and its name: `func open`.
    let name: String
    let text: Substring
    let line: Int
    /// Whether other targets may use it.
    let isPackage: Bool
    /// Whether a comment stands above it, or above the list of one-liners or the extension that begins with it.
    let isExplained: Bool
    /// Whether a protocol of the standard library asks for it, and explains it.
    let isStandard: Bool

    private static let keywords = [
        "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "init", "subscript", "typealias", "case",
    ]
    private static let standard = [
        "func ==", "func <", "func hash", "var description", "var debugDescription", "var startIndex", "var endIndex",
        "func index", "func makeIterator", "func next", "typealias Element", "typealias Index", "typealias Iterator",
    ]

    static func all(in file: SourceTree.File) -> [Declaration] {
        let original = file.lines
        let code = file.code.lines
        return code.indices.compactMap { index in
            guard let (name, isPackage) = declaration(in: code[index]) else { return nil }
            var above = index - 1
            while above >= 0, isPassedOver(original[above]) || declaration(in: code[above])?.isPackage == isPackage {
                above -= 1
            }
            let isExplained = above >= 0 && original[above].drop { $0 == " " }.hasPrefix("///")
            return Declaration(
                name: name, text: original[index], line: index + 1, isPackage: isPackage, isExplained: isExplained,
                isStandard: standard.contains(name) || code[index].contains("Literal "))
        }
    }

    /// Taken apart by words and not by a pattern, which takes seconds over all files.
    private static func declaration(in line: String) -> (name: String, isPackage: Bool)? {
        let separators: Set<Character> = [" ", "(", ":", "<", "=", "{", "["]
        let words = line.split { separators.contains($0) }
        guard let position = words.firstIndex(where: { keywords.contains(String($0.filter { $0 != "?" })) }) else {
            return nil
        }
        // Before the keyword stand modifiers and attributes, and nothing else.
        let before = words[..<position]
        let isDeclaration = before.allSatisfy { word in
            word.hasPrefix("@") || word.allSatisfy { $0.isLowercase || $0 == ")" || $0 == "_" }
        }
        guard isDeclaration, !line.contains("guard "), !line.contains("if let "), !line.contains("if case ") else {
            return nil
        }
        let operators = line.contains("static func ==") ? "==" : line.contains("static func <") ? "<" : nil
        let subject = operators ?? (position + 1 < words.count ? String(words[position + 1]) : "")
        return ("\(words[position]) \(subject)", before.contains("package") || before.contains("public"))
    }

    private static func isPassedOver(_ line: Substring) -> Bool {
        let text = line.drop { $0 == " " }
        return text.hasPrefix("@") || text.hasPrefix("// swift-format-ignore") || text.hasPrefix("extension ")
    }
}
