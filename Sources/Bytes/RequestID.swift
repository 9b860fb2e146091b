/// What names a request in responses, problems and logs: of its client's making, or of ours.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
    /// Bytes that a name may have.
    private static let lengths = 1...128

    /// The name.
    package let text: String

    /// A given name; nil for a text that is none.
    package init?(_ text: String) {
        guard text.withBytes({ RequestID.isName($0) }) else { return nil }
        self.text = text
    }

    /// A given name, which is one.
    package init(name: [UInt8]) {
        precondition(name.withUnsafeBytes { RequestID.isName($0) }, "only a name names a request")
        text = String(decoding: name, as: UTF8.self)
    }

    /// A name of our own: 32 hexadecimal digits.
    package init(_ high: UInt64, _ low: UInt64) {
        var name = ByteBuffer(capacity: 32)
        name.append(hexadecimal: high)
        name.append(hexadecimal: low)
        text = String(decoding: name.readable, as: UTF8.self)
    }

    /// A name of our own for what came over no connection.
    package static func random() -> RequestID { RequestID(.random(in: 0 ... .max), .random(in: 0 ... .max)) }

    /// Whether bytes are a name: 1 to 128 visible characters of ASCII.
    package static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lengths.contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }

    package var description: String { text }
}
