import Testing

/// Rules on which folder of a target may know which.
@Suite("Folders")
struct FolderTests {
    /// Two folders of a target that know each other.
    struct Pair: Hashable, Comparable, CustomStringConvertible {
        let target: String
        let first: String
        let second: String

        init(_ target: String, _ one: String, _ other: String) {
            self.target = target
            (first, second) = one < other ? (one, other) : (other, one)
        }

        static func < (left: Pair, right: Pair) -> Bool { left.description < right.description }

        var description: String { "\(target): \(first) and \(second)" }
    }

    /// Those that know each other today. This list may only become shorter.
    static let known: Set<Pair> = [
        Pair("FlagCore", "Evaluation", "Rules"),
        Pair("FlagServer", "Commands", "Process"),
        Pair("FlagServer", "Configuration", "Process"),
        Pair("FlagServer", "Control", "Process"),
    ]

    /// By target and folder, the folders of the same target whose types it names. Files beside the folders are in one
    /// that is called `.`.
    static let neighbours: [String: [String: Set<String>]] = {
        var folders: [String: [String: String]] = [:]
        for file in SourceTree.sources {
            guard let target = file.target else { continue }
            for type in file.types { folders[target, default: [:]][type] = file.folder }
        }
        return SourceTree.sources.reduce(into: [:]) { result, file in
            guard let target = file.target else { return }
            let named = Set(file.words.compactMap { folders[target]?[$0] }).subtracting([file.folder])
            result[target, default: [:]][file.folder, default: []].formUnion(named)
        }
    }()

    @Test("No two folders of a target know each other, but for those that are listed")
    func pairs() {
        var found: Set<Pair> = []
        for (target, folders) in Self.neighbours {
            for (folder, others) in folders {
                for other in others where folders[other]?.contains(folder) == true {
                    found.insert(Pair(target, folder, other))
                }
            }
        }
        for pair in found.subtracting(Self.known).sorted() { Issue.record("\(pair) know each other") }
        for pair in Self.known.subtracting(found).sorted() {
            Issue.record("\(pair) no longer know each other: take them off the list")
        }
    }

    @Test("No folders of a target know each other in a circle, beside the pairs that are listed")
    func circles() {
        for (target, folders) in Self.neighbours {
            var rest = folders.mapValues { $0 }
            for pair in Self.known where pair.target == target {
                rest[pair.first]?.remove(pair.second)
                rest[pair.second]?.remove(pair.first)
            }
            // Who knows nobody that is left is in no circle.
            while let free = rest.first(where: { $0.value.isDisjoint(with: rest.keys) })?.key { rest[free] = nil }
            let circle = rest.keys.sorted().joined(separator: ", ")
            #expect(rest.isEmpty, "\(target): \(circle) know each other in a circle")
        }
    }
}

extension SourceTree.File {
    /// The folder of the target that the file lies in, or `.`.
    fileprivate var folder: String {
        let parts = path.split(separator: "/")
        return parts.count > 3 ? String(parts[2]) : "."
    }

    /// The types that are declared at the left margin, for more than the file.
    fileprivate var types: [String] {
        let keywords: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
        return code.lines.compactMap { line in
            guard let first = line.first, first.isLetter || first == "@" else { return nil }
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
            guard let position = words.firstIndex(where: keywords.contains), position + 1 < words.count,
                !words[..<position].contains(where: { ["private", "fileprivate", "extension", "func"].contains($0) })
            else { return nil }
            return String(words[position + 1])
        }
    }

    /// The words of the code that begin like a type.
    fileprivate var words: Set<String> {
        var found: Set<String> = []
        var word: [UInt8] = []
        for byte in code.code + [UInt8(ascii: "\n")] {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                word.append(byte)
            default:
                if let first = word.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) {
                    found.insert(String(decoding: word, as: UTF8.self))
                }
                word.removeAll(keepingCapacity: true)
            }
        }
        return found
    }
}
