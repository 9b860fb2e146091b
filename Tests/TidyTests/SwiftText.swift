/// Swift source with comments and the contents of string literals blanked out, line for line and column for column, so
/// that what is left may be searched for code.
struct SwiftText: Sendable {
    /// The text's characters, blanks where there was no code.
    private(set) var code: [UInt8]
    /// The code's lines.
    private(set) var lines: [String] = []

    init(_ text: String) {
        code = Array(text.utf8)
        blankOutWhatIsNoCode()
        lines = code.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private mutating func blankOutWhatIsNoCode() {
        var position = 0
        while position < code.count {
            if starts("//", at: position) {
                blank(from: position, to: end(of: position) { $0 == UInt8(ascii: "\n") })
            } else if starts("/*", at: position) {
                blank(from: position, to: endOfBlockComment(position))
            } else if let literal = literal(at: position) {
                blank(from: literal.lowerBound, to: literal.upperBound)
                position = literal.upperBound
            } else {
                position += 1
            }
        }
    }

    /// A function's name, where it begins, and how many lines it has from its first to its closing brace.
    struct Function {
        let name: String
        let line: Int
        let length: Int
    }

    /// All functions, initialisers and subscripts with a body, and computed properties not among them.
    var functions: [Function] {
        var found: [Function] = []
        var position = 0
        while position < code.count {
            guard let keyword = declaration(at: position) else {
                position += 1
                continue
            }
            position += keyword.utf8.count
            guard let open = openingBrace(after: position), let close = closingBrace(of: open) else { continue }
            let first = lineNumber(of: position)
            let nameEnd = end(of: position) { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: "{") }
            let name = keyword + String(decoding: code[position..<nameEnd], as: UTF8.self)
            found.append(Function(name: name, line: first, length: lineNumber(of: close) - first + 1))
        }
        return found
    }

    private func starts(_ word: StaticString, at position: Int) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= code.count else { return false }
        return word.withUTF8Buffer { $0.elementsEqual(code[position..<end]) }
    }

    private func end(of position: Int, where isEnd: (UInt8) -> Bool) -> Int {
        code[position...].firstIndex(where: isEnd) ?? code.count
    }

    private mutating func blank(from start: Int, to end: Int) {
        for index in start..<end where code[index] != UInt8(ascii: "\n") { code[index] = UInt8(ascii: " ") }
    }

    private func endOfBlockComment(_ start: Int) -> Int {
        var position = start + 2
        var depth = 1
        while position < code.count, depth > 0 {
            if starts("*/", at: position) {
                depth -= 1
                position += 2
            } else if starts("/*", at: position) {
                depth += 1
                position += 2
            } else {
                position += 1
            }
        }
        return position
    }

    /// The string literal that begins at `position`, raw or not, of one line or many, interpolations included.
    private func literal(at position: Int) -> Range<Int>? {
        var start = position
        while start < code.count, code[start] == UInt8(ascii: "#") { start += 1 }
        let hashes = start - position
        guard start < code.count, code[start] == UInt8(ascii: "\"") else { return nil }
        let quotes = starts("\"\"\"", at: start) ? 3 : 1
        var current = start + quotes
        var interpolation = 0
        while current < code.count {
            if isEscape(at: current, hashes: hashes) {
                current += 1 + hashes
                if current < code.count, code[current] == UInt8(ascii: "(") { interpolation += 1 }
                current += 1
            } else if interpolation > 0, code[current] == UInt8(ascii: "(") {
                interpolation += 1
                current += 1
            } else if interpolation > 0, code[current] == UInt8(ascii: ")") {
                interpolation -= 1
                current += 1
            } else if interpolation > 0, let inner = literal(at: current) {
                current = inner.upperBound
            } else if interpolation == 0, closes(at: current, quotes: quotes, hashes: hashes) {
                return position..<(current + quotes + hashes)
            } else {
                current += 1
            }
        }
        return position..<code.count
    }

    private func isEscape(at position: Int, hashes: Int) -> Bool {
        guard code[position] == UInt8(ascii: "\\"), position + hashes < code.count else { return false }
        return code[(position + 1)..<(position + 1 + hashes)].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private func closes(at position: Int, quotes: Int, hashes: Int) -> Bool {
        guard position + quotes + hashes <= code.count else { return false }
        return code[position..<(position + quotes)].allSatisfy { $0 == UInt8(ascii: "\"") }
            && code[(position + quotes)..<(position + quotes + hashes)].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private static let keywords = ["func ", "init(", "init?(", "init<", "deinit ", "subscript("]
    private static let firstCharacters = Set(keywords.compactMap(\.utf8.first))

    private func declaration(at position: Int) -> String? {
        // Most characters begin none of the words: this is asked for each.
        guard Self.firstCharacters.contains(code[position]) else { return nil }
        if position > 0, isName(code[position - 1]) || code[position - 1] == UInt8(ascii: ".") { return nil }
        return Self.keywords.first { code[position...].starts(with: $0.utf8) }
    }

    private func isName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "`") || byte >= 128
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The brace that opens the body; nil for a requirement of a protocol, which ends with its line or another begins.
    private func openingBrace(after start: Int) -> Int? {
        // The keyword may itself have ended in an opening parenthesis.
        var depth = code[start - 1] == UInt8(ascii: "(") ? 1 : 0
        for position in start..<code.count {
            switch code[position] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return position
            case UInt8(ascii: "}") where depth == 0: return nil
            default:
                if depth == 0, declaration(at: position) != nil { return nil }
            }
        }
        return nil
    }

    private func closingBrace(of open: Int) -> Int? {
        var depth = 0
        for position in open..<code.count {
            if code[position] == UInt8(ascii: "{") { depth += 1 }
            if code[position] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return position }
            }
        }
        return nil
    }

    private func lineNumber(of position: Int) -> Int {
        code[..<position].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    }
}
