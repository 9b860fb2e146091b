import Bytes
import Glibc

/// Writes header fields of a response straight into the connection's write buffer.
///
/// `Date`, `Content-Length`, `Content-Type`, `Connection` and `Transfer-Encoding` are the transport's own. Control
/// characters in a value become spaces, so that no value can begin another field (RFC 9110 §5.5).
package struct FieldWriter: ~Copyable {
    let output: UnsafeMutablePointer<ByteBuffer>

    /// Adds one field.
    ///
    /// - Parameters:
    ///   - name: A token.
    ///   - value: The field's value, without control characters.
    package func add(_ name: StaticString, _ value: StaticString) {
        begin(name)
        output.pointee.append(value)
        end()
    }

    /// Adds one field whose value are `bytes`.
    package func add(_ name: StaticString, bytes: UnsafeRawBufferPointer) {
        begin(name)
        appendValue(bytes)
        end()
    }

    /// Adds one field.
    package func add(_ name: StaticString, _ value: [UInt8]) {
        value.withUnsafeBytes { add(name, bytes: $0) }
    }

    /// Adds one field. The names of the fields that the transport owns are refused by an assertion.
    package func add(_ name: String, _ value: String) {
        var name = name
        var value = value
        name.withUTF8 { appendValue(UnsafeRawBufferPointer($0)) }
        output.pointee.append(": ")
        value.withUTF8 { appendValue(UnsafeRawBufferPointer($0)) }
        end()
    }

    /// Adds one field whose value is `number` in decimal digits; not negative.
    package func add(_ name: StaticString, decimal number: Int) {
        begin(name)
        output.pointee.append(decimal: number)
        end()
    }

    private func begin(_ name: StaticString) {
        output.pointee.append(name)
        output.pointee.append(": ")
    }

    private func end() {
        output.pointee.append("\r\n")
    }

    private func appendValue(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        if ByteClass.isFreeOfControls(start, bytes.count) { return output.pointee.append(bytes) }
        for byte in bytes { output.pointee.append(byte: byte < 0x20 && byte != 0x09 || byte == 0x7F ? 0x20 : byte) }
    }
}
