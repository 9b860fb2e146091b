import Bytes

/// Writes the fixed parts of a response's head, and its body, into the connection's write buffer.
struct ResponseWriter {
    let connection: UnsafeMutablePointer<HTTPConnection>
    let loop: UnsafeMutablePointer<LoopState>

    init(connection: UnsafeMutablePointer<HTTPConnection>, loop: UnsafeMutablePointer<LoopState>) {
        self.connection = connection
        self.loop = loop
    }

    /// The status line, `Date` with the fields of every response, the name of the request, and what is attached to it.
    @inline(__always)
    func begin(_ status: HTTPStatus) {
        if status == .ok {
            connection.pointee.output.append("HTTP/1.1 200 OK\r\n")
        } else {
            beginWithReason(status)
        }
        connection.pointee.output.append(loop.pointee.date.bytes)
        RequestName.write(connection, loop)
        RequestName.end(connection)
        if let attached = connection.pointee.attachedFields {
            connection.pointee.output.append(attached.lines)
            connection.pointee.attachedFields = nil
        }
    }

    private func beginWithReason(_ status: HTTPStatus) {
        connection.pointee.output.append("HTTP/1.1 ")
        connection.pointee.output.append(decimal: Int(status.code))
        connection.pointee.output.append(" ")
        connection.pointee.output.append(status.reason)
        connection.pointee.output.append("\r\n")
    }

    /// `Content-Type`.
    @inline(__always)
    func contentType(_ value: StaticString) {
        connection.pointee.output.append("Content-Type: ")
        connection.pointee.output.append(value)
        connection.pointee.output.append("\r\n")
    }

    /// `Connection`, `Content-Length`, the empty line and the body, as method and status want them.
    ///
    /// - Parameter content: the buffer that the body is all of, to be taken in place of a copy.
    @inline(__always)
    func end(
        _ status: HTTPStatus, body: UnsafeRawBufferPointer, taking content: UnsafeMutablePointer<ByteBuffer>? = nil
    ) {
        if connection.pointee.machine.keepsAlive {
            let isHTTP10 = connection.pointee.machine.head.isHTTP10
            connection.pointee.output.append(loop.pointee.keepAlive.bytes(isHTTP10: isHTTP10))
        } else {
            connection.pointee.output.append("Connection: close\r\n")
        }
        let hasNoContent = status == .noContent || status == .notModified
        if !hasNoContent || status == .notModified && !body.isEmpty {
            // Of HEAD and 304 it is the length that GET would have had (RFC 9110 §8.6).
            connection.pointee.output.append("Content-Length: ")
            connection.pointee.output.append(decimal: body.count)
            connection.pointee.output.append("\r\n\r\n")
        } else {
            connection.pointee.output.append("\r\n")
        }
        guard !hasNoContent, connection.pointee.machine.head.method != .head else { return }
        // What has been written so far is little, mostly: put before the body it makes the response whole.
        if let content, content.pointee.prepend(connection.pointee.output.readable) {
            swap(&connection.pointee.output, &content.pointee)
        } else {
            connection.pointee.output.append(body)
        }
    }
}
