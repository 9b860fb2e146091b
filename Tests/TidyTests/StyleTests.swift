import Foundation
import Testing

/// Rules on how files look.
@Suite("Style")
struct StyleTests {
    @Test("No line is longer than 120 characters")
    func lineLength() {
        for file in SourceTree.swift + SourceTree.c + SourceTree.scripts {
            for (index, line) in file.lines.enumerated() where line.count > 120 {
                Issue.record("\(file.path):\(index + 1) has \(line.count) characters")
            }
        }
    }

    @Test("No file has more than 800 lines")
    func fileLength() {
        for file in SourceTree.swift + SourceTree.c + SourceTree.python {
            #expect(file.lines.count <= 800, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test("Most files have at most 300 lines")
    func mostFilesAreShort() {
        let long = SourceTree.sources.filter { $0.lines.count > 300 }
        for file in long { print("long file: \(file.path), \(file.lines.count) lines") }
        #expect(long.count * 10 <= SourceTree.sources.count, "More than a tenth of the source files are long")
    }

    @Test("No function has more than 70 lines")
    func functionLength() {
        for file in SourceTree.swift {
            for function in file.code.functions where function.length > 70 {
                Issue.record("\(file.path):\(function.line) \(function.name) has \(function.length) lines")
            }
        }
    }

    @Test("No tabs and no blanks at the end of a line")
    func whiteSpace() {
        for file in SourceTree.all {
            for (index, line) in file.lines.enumerated() {
                let isMarkdownBreak = file.path.hasSuffix(".md")
                if line.contains("\t") || (line.last == " " && !isMarkdownBreak) {
                    Issue.record("\(file.path):\(index + 1) has a tab or ends in a blank")
                }
            }
            #expect(file.text.isEmpty || file.text.hasSuffix("\n"), "\(file.path) does not end with a line break")
        }
    }

    @Test("Nothing is left to do in comments")
    func noLeftovers() {
        for file in SourceTree.all {
            // In pieces, so that this file does not find itself.
            let words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"]
            for (index, line) in file.lines.enumerated() where words.contains(where: { line.contains($0) }) {
                Issue.record("\(file.path):\(index + 1) \(line)")
            }
        }
    }

    @Test("Files and types are named for what they are")
    func names() throws {
        for file in SourceTree.swift {
            let vague = ["Manager", "Helper", "Util", "Base"]
            let name = URL(filePath: file.path).deletingPathExtension().lastPathComponent
            #expect(!vague.contains { name.contains($0) }, "\(file.path)")
            let type = try Regex("\\b(struct|class|enum|actor|protocol) \\w*(Manager|Helper|Utils?|Utilities|Base)\\b")
            for (index, line) in file.code.lines.enumerated()
            where vague.contains(where: { line.contains($0) }) && line.contains(type) {
                Issue.record("\(file.path):\(index + 1) \(line)")
            }
        }
    }

    @Test("Scripts can be run and stop at the first error")
    func scripts() {
        for file in SourceTree.scripts {
            #expect(FileManager.default.isExecutableFile(atPath: SourceTree.root + "/" + file.path), "\(file.path)")
            #expect(file.text.hasPrefix("#!/"), "\(file.path) has no #! line")
            if file.lines.first?.contains("bash") == true {
                #expect(file.text.contains("set -euo pipefail"), "\(file.path)")
            }
        }
    }
}
