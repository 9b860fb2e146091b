import JSON

/// How much the context of an evaluation may hold.
///
/// What a rule does with a context is charged by its bytes, and every flag of a bulk response looks at the same one: so a
/// context is bounded more tightly than a body.
package struct ContextLimits: Sendable, Equatable {
    /// The most bytes of all names, texts and numbers together, and one for each value.
    package var bytes: Int
    /// The most bytes of one name, text or number.
    package var textBytes: Int

    /// The defaults, or others.
    package init(bytes: Int = 64 << 10, textBytes: Int = 4 << 10) {
        self.bytes = bytes
        self.textBytes = textBytes
    }

    /// What is too much of a context.
    struct Excess: Error, Equatable {
        /// Where it is, within the context.
        let pointer: JSONPointer
        /// How much may be there.
        let detail: String
    }

    /// Checks a context, which is part of a body of so many bytes. Looks at nothing of an ordinary one.
    ///
    /// - Throws: what is too much of it.
    @inline(__always)
    func check(_ context: JSONView?, ofBody bodyBytes: Int) throws(Excess) {
        if bodyBytes > textBytes, let context { try check(context) }
    }

    @inline(never)
    private func check(_ context: JSONView) throws(Excess) {
        var walk = Walk(limits: self)
        try walk.count(context)
    }

    /// Adds up what a context holds.
    private struct Walk {
        let limits: ContextLimits
        private var bytes = 0
        private var place = JSONPointer()

        init(limits: ContextLimits) { self.limits = limits }

        mutating func count(_ value: JSONView) throws(Excess) {
            try add(1)
            switch value.kind {
            case .null, .true, .false: break
            case .string: try add(text: value.storedBytes, "a text")
            case .number: try add(text: value.storedBytes, "a number")
            case .array:
                var index = 0
                for element in value.elements {
                    place.append(index)
                    try count(element)
                    place.removeLast()
                    index += 1
                }
            case .object:
                for (name, member) in value.members {
                    try add(text: name, "the name of a member")
                    place.append(String(decoding: name, as: UTF8.self))
                    try count(member)
                    place.removeLast()
                }
            }
        }

        private mutating func add(text: UnsafeRawBufferPointer, _ what: StaticString) throws(Excess) {
            guard text.count <= limits.textBytes else {
                throw Excess(
                    pointer: place,
                    detail: "\(what) of \(text.count) bytes; at most \(limits.textBytes) (limits.context-text)")
            }
            try add(text.count)
        }

        private mutating func add(_ count: Int) throws(Excess) {
            bytes += count
            guard bytes <= limits.bytes else {
                throw Excess(
                    pointer: JSONPointer(),
                    detail: "holds more than \(limits.bytes) bytes of names, texts and numbers (limits.context)")
            }
        }
    }
}
