import Foundation

/// The repository's files, as the house rules look at them.
enum SourceTree {
    /// The repository's root, from where this file stands in it.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// A text file.
    struct File: Sendable {
        /// The path from the root.
        let path: String
        let text: String
        /// The text's lines.
        let lines: [Substring]
        /// The code alone, line for line; empty where the file is no Swift.
        let code: SwiftText

        init(path: String, text: String) {
            self.path = path
            self.text = text
            lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            code = SwiftText(path.hasSuffix(".swift") ? text : "")
        }

        /// The target under `Sources` that the file belongs to.
        var target: String? {
            let parts = path.split(separator: "/")
            return parts.first == "Sources" && parts.count > 2 ? String(parts[1]) : nil
        }
    }

    /// Swift files of the program.
    static let sources = files(under: "Sources") { $0.hasSuffix(".swift") }
    /// Swift files of the program, the tests and the package itself.
    static let swift =
        sources + files(under: "Tests") { $0.hasSuffix(".swift") }
        + files(under: "Benchmarks") { $0.hasSuffix(".swift") }
        + files(under: "Package.swift") { _ in true }
    /// C, in the shims.
    static let c = files(under: "Sources") { $0.hasSuffix(".c") || $0.hasSuffix(".h") }
    /// Scripts that people and machines call.
    static let scripts = files(under: "scripts") { _ in true } + files(under: ".ci") { _ in true }
    /// Python, in the end-to-end tests and the benchmarks.
    static let python =
        files(under: "Tests") { $0.hasSuffix(".py") } + files(under: "Benchmarks") { $0.hasSuffix(".py") }
    /// What people read.
    static let markdown = files(under: "README.md") { _ in true } + files(under: "docs") { $0.hasSuffix(".md") }
    /// All of it.
    static let all = swift + c + scripts + python + markdown

    /// The files under a folder, or the file itself, that `wanted` accepts by their path.
    static func files(under path: String, _ wanted: (String) -> Bool) -> [File] {
        let whole = root + "/" + path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: whole, isDirectory: &isDirectory) else { return [] }
        let paths =
            isDirectory.boolValue
            ? (FileManager.default.subpaths(atPath: whole) ?? []).map { path + "/" + $0 } : [path]
        return paths.sorted().compactMap { path in
            // Folders of tools, and what is no text, are nobody's style.
            let isOurs = !path.split(separator: "/").contains { $0.hasPrefix(".build") || $0 == "__pycache__" }
            guard isOurs, wanted(path) else { return nil }
            return (try? String(contentsOfFile: root + "/" + path, encoding: .utf8)).map { File(path: path, text: $0) }
        }
    }
}
