import JSON

extension RuleEvaluator {
    /// The value as text, as JavaScript's `String()` has it: arrays joined by commas.
    mutating func text(of value: Operand) throws(RuleFailure) -> UnsafeRawBufferPointer {
        switch value {
        case .string(let bytes): return bytes
        case .null: return UnsafeRawBufferPointer(start: nil, count: 0)
        case .spelled(let view) where view.isIntegerSpelling: return view.storedBytes
        default:
            var text = try ScratchText(in: &scratch)
            try append(value, to: &text)
            return text.bytes
        }
    }

    /// Appends a value's text; null's is empty, as in JavaScript's `join()`.
    private mutating func append(_ value: Operand, to text: inout ScratchText) throws(RuleFailure) {
        switch value {
        case .null: break
        case .bool(let value): try text.append(value ? "true" : "false", in: &scratch)
        case .string(let bytes): try append(bytes, to: &text)
        case .integer(let number): try append(NumberText(number), to: &text)
        case .number(let number): try append(NumberText(number), to: &text)
        case .list, .array: try append(array: value, to: &text)
        case .spelled(let view) where view.isIntegerSpelling: try append(view.storedBytes, to: &text)
        case .spelled(let view): try append(NumberText(double(of: view)), to: &text)
        case .object, .data: try text.append("[object Object]", in: &scratch)
        }
    }

    private mutating func append(
        _ bytes: UnsafeRawBufferPointer, to text: inout ScratchText
    ) throws(RuleFailure) {
        try step(bytes.count / Work.comparedBytesPerStep)
        try text.append(bytes, in: &scratch)
    }

    private mutating func append(array: Operand, to text: inout ScratchText) throws(RuleFailure) {
        try enter()
        defer { leave() }
        var isFirst = true
        for element in array.elements {
            try step()
            if !isFirst { try text.append(",", in: &scratch) }
            isFirst = false
            try append(element, to: &text)
        }
    }

    private mutating func append(_ number: NumberText, to text: inout ScratchText) throws(RuleFailure) {
        try number.withBytes { (bytes) throws(RuleFailure) in try text.append(bytes, in: &scratch) }
    }

    // MARK: Operators

    /// `cat`: the texts of all arguments, one after the other.
    mutating func concatenation(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let parts = try values(node)
        var text = try ScratchText(in: &scratch)
        for part in parts { try append(part, to: &text) }
        return .string(text.bytes)
    }

    /// `substr`: from a place on, counted from the end when negative; so many characters, or all but so many at the
    /// end when negative. A character is a Unicode scalar.
    mutating func substring(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let source = try text(of: value(node, 0))
        let length = try length(of: source)
        var start = try wholeNumber(of: value(node, 1))
        start = start < 0 ? max(length + start, 0) : min(start, length)
        var end = length
        if node.pointee.argumentCount > 2 {
            let count = try wholeNumber(of: value(node, 2))
            end = count < 0 ? max(length + count, start) : min(start + min(count, length), length)
        }
        let first = byteOffset(ofScalar: start, in: source)
        let last = byteOffset(ofScalar: end, in: source)
        return .string(UnsafeRawBufferPointer(rebasing: source[first..<last]))
    }

    /// How many characters (Unicode scalars) a text has.
    mutating func length(of text: UnsafeRawBufferPointer) throws(RuleFailure) -> Int {
        try step(text.count / Work.scannedBytesPerStep)
        return text.reduce(into: 0) { if $1 & 0xC0 != 0x80 { $0 += 1 } }
    }

    private func byteOffset(ofScalar scalar: Int, in text: UnsafeRawBufferPointer) -> Int {
        var seen = 0
        for offset in text.indices where text[offset] & 0xC0 != 0x80 {
            if seen == scalar { return offset }
            seen += 1
        }
        return text.count
    }

    /// A number cut to a whole one within ±2³¹; not-a-number is 0.
    private mutating func wholeNumber(of value: Operand) throws(RuleFailure) -> Int {
        let number = try number(of: value)
        return number.isNaN ? 0 : Int(min(max(number, -2_147_483_648), 2_147_483_648))
    }

    /// `starts_with`, `ends_with`: null unless both arguments are texts.
    mutating func hasAffix(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        guard node.pointee.argumentCount == 2, let text = try value(node, 0).stringBytes,
            let affix = try value(node, 1).stringBytes
        else { return .null }
        guard affix.count <= text.count else { return .bool(false) }
        let part =
            node.pointee.operation == .startsWith ? text.prefix(affix.count) : text.suffix(affix.count)
        return .bool(try isSame(UnsafeRawBufferPointer(rebasing: part), affix))
    }

    // MARK: Versions

    /// `sem_ver` with a constant comparison and right side.
    @inline(__always)
    mutating func semanticVersionTest(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let test = tables.versions[Int(node.pointee.detail)]
        guard let version = try version(of: value(node, 0)) else { return .null }
        try step(test.version.count / Work.scannedBytesPerStep)
        return .bool(test.comparison.holds(version, test.version))
    }

    /// `sem_ver`: null unless it has two versions and a known comparison between them.
    mutating func semanticVersion(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        guard node.pointee.argumentCount == 3, let left = try version(of: value(node, 0)),
            let symbol = try value(node, 1).stringBytes, let comparison = VersionComparison(symbol),
            let right = try version(of: value(node, 2))
        else { return .null }
        return .bool(comparison.holds(left, right))
    }

    /// A version that is spelled in a text or, without patch number, as a number. A list is none, whatever is in it.
    private mutating func version(of value: Operand) throws(RuleFailure) -> SemanticVersion? {
        switch value {
        case .string(let bytes): return try version(bytes)
        case .integer, .number, .spelled: return try version(text(of: value))
        case .null, .bool, .list, .array, .object, .data: return nil
        }
    }

    private mutating func version(_ text: UnsafeRawBufferPointer) throws(RuleFailure) -> SemanticVersion? {
        // Read once, and compared once.
        try step(2 * text.count / Work.scannedBytesPerStep)
        return SemanticVersion(text)
    }
}
