/// A path as a routing table spells it: literals with parameters in braces, `/api/flags/{flagKey}/tenants`.
///
/// A parameter is one non-empty segment; `{key...}`, at the end only, is the whole rest of the path, slashes included
/// and possibly empty. Matching compares bytes and allocates nothing; what a parameter matched is a slice of the
/// path, still percent-encoded.
package struct PathPattern: Sendable {
    /// The pattern as written, which is also how OpenAPI writes it but for the dots of a rest parameter.
    package let text: StaticString
    /// The literals before, between and behind the parameters: always one more than there are parameters.
    private let literals: [[UInt8]]
    /// The parameters' names in their order, at most three.
    package let parameterNames: [String]
    /// Whether the last parameter takes the rest of the path.
    package let takesRest: Bool

    /// Reads a pattern.
    ///
    /// - Precondition: at most three parameters, each between slashes; a rest parameter is last. Patterns are written
    ///   in the program, so a wrong one is a programmer's error and stops the process at start.
    package init(_ text: StaticString) {
        self.text = text
        var literals: [[UInt8]] = [[]]
        var names: [String] = []
        var takesRest = false
        var name: [UInt8]?
        for byte in text.withUTF8Buffer({ Array($0) }) {
            switch (byte, name) {
            case (UInt8(ascii: "{"), nil):
                precondition(literals.last?.last == UInt8(ascii: "/"), "a parameter begins a segment")
                name = []
            case (UInt8(ascii: "}"), .some(let finished)):
                precondition(!takesRest, "a rest parameter is the last")
                takesRest = finished.suffix(3).elementsEqual("...".utf8)
                names.append(String(decoding: finished.dropLast(takesRest ? 3 : 0), as: UTF8.self))
                literals.append([])
                name = nil
            case (_, .some(let begun)): name = begun + [byte]
            case (_, nil): literals[literals.count - 1].append(byte)
            }
        }
        precondition(name == nil && names.count <= 3, "at most three closed parameters")
        self.literals = literals
        self.parameterNames = names
        self.takesRest = takesRest
    }

    /// What the parameters are in `path`, or nil when the path is another one.
    ///
    /// - Complexity: O(length of the path).
    @inline(__always)
    package func match(_ path: UnsafeRawBufferPointer) -> PathParameters? {
        var parameters = PathParameters()
        guard hasLiteral(0, in: path, at: 0) else { return nil }
        var position = literals[0].count
        for index in 1..<literals.count {
            let isRest = takesRest && index == literals.count - 1
            let end = isRest ? path.count : PathPattern.segmentEnd(in: path, from: position)
            guard isRest || end > position, hasLiteral(index, in: path, at: end) else { return nil }
            parameters.append(UnsafeRawBufferPointer(rebasing: path[position..<end]))
            position = end + literals[index].count
        }
        return position == path.count ? parameters : nil
    }

    private func hasLiteral(_ index: Int, in path: UnsafeRawBufferPointer, at position: Int) -> Bool {
        let count = literals[index].count
        guard path.count - position >= count else { return false }
        return literals[index].withUnsafeBytes { literal in
            for offset in 0..<count where literal[offset] != path[position + offset] { return false }
            return true
        }
    }

    private static func segmentEnd(in path: UnsafeRawBufferPointer, from start: Int) -> Int {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        return end
    }
}

/// The parameters of a matched path, in the pattern's order: slices of the path, percent-encoded as they came, valid as
/// long as the request is.
package struct PathParameters {
    package private(set) var first: UnsafeRawBufferPointer?
    package private(set) var second: UnsafeRawBufferPointer?
    package private(set) var third: UnsafeRawBufferPointer?

    /// The places that there are parameters for, filled or not.
    package var all: [UnsafeRawBufferPointer?] { [first, second, third] }

    fileprivate mutating func append(_ slice: UnsafeRawBufferPointer) {
        if first == nil { first = slice } else if second == nil { second = slice } else { third = slice }
    }
}
