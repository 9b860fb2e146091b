import Bytes
import Glibc

extension ResponseWriter {
    /// Ends a response whose content is large enough to be compressed: with gzip when the client wants it and it is
    /// worth it; in any case with `Vary`, since the response depends on what the client accepts (RFC 9110 §12.5.5).
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - fieldsStart: Where in the output the response's header fields begin.
    ///   - body: The content.
    ///   - content: The buffer that it is all of, to be taken in place of a copy.
    func endCompressible(
        _ status: HTTPStatus, fieldsStart: Int, body: UnsafeRawBufferPointer,
        taking content: UnsafeMutablePointer<ByteBuffer>? = nil
    ) {
        let written = connection.pointee.output.readable
        let fields = UnsafeRawBufferPointer(rebasing: written[fieldsStart...])
        guard status != .noContent, status != .notModified, CompressibleFields.allow(fields) else {
            return end(status, body: body, taking: content)
        }
        connection.pointee.output.append("Vary: Accept-Encoding\r\n")
        let accepted = connection.pointee.machine.head.acceptedCodings
        guard accepted.prefersGzip, body.count <= loop.pointee.compression.maximumBytes else {
            return end(status, body: body, taking: content)
        }
        loop.pointee.gzip.compress(body) { compressed in
            guard let compressed else { return end(status, body: body, taking: content) }
            connection.pointee.output.append("Content-Encoding: gzip\r\n")
            end(status, body: compressed)
        }
    }
}

/// What a response's header fields say about compressing its content.
private enum CompressibleFields {
    /// Whether the content is text, has no coding yet, and has no strong entity tag: that names the bytes as they are
    /// (RFC 9110 §8.8.3), and a client may come back with it in `If-Match`.
    static func allow(_ fields: UnsafeRawBufferPointer) -> Bool {
        var isText = false
        for line in fields.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: 0x3A), colon + 2 < line.endIndex else { continue }
            let name = UnsafeRawBufferPointer(rebasing: fields[line.startIndex..<colon])
            let value = UnsafeRawBufferPointer(rebasing: fields[(colon + 2)..<line.endIndex])
            if name.equalsIgnoringCase("content-encoding") { return false }
            if name.equalsIgnoringCase("etag"), value.first != 0x57 { return false }
            if name.equalsIgnoringCase("content-type") { isText = isCompressible(value) }
        }
        return isText
    }

    private static func isCompressible(_ type: UnsafeRawBufferPointer) -> Bool {
        let name = UnsafeRawBufferPointer(rebasing: type.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x0D })
        let known: [StaticString] = ["application/json", "application/javascript", "application/xml", "image/svg+xml"]
        if known.contains(where: { name.equalsIgnoringCase($0) }) { return true }
        return UnsafeRawBufferPointer(rebasing: name.prefix(5)).equalsIgnoringCase("text/")
            || UnsafeRawBufferPointer(rebasing: name.suffix(5)).equalsIgnoringCase("+json")
    }
}
