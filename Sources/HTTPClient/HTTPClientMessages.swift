/// A request to send. Its description names method and server only.
package struct HTTPClientRequest: Sendable, CustomStringConvertible {
    /// The method, GET for example.
    package var method: String
    /// An `http` or `https` URL.
    package var url: String
    /// The path of a Unix socket to connect to in place of the URL's host.
    package var unixSocket: String?
    /// Header fields; Host, Content-Length and User-Agent are written by the client.
    package var fields: [(name: String, value: String)]
    /// The content; nil for none.
    package var body: [UInt8]?
    /// In place of the client's settings for the whole of the request.
    package var timeout: Duration?
    /// In place of the client's settings for the response's content.
    package var responseBytes: Int?
    /// Told of each piece of the response's content as it comes, on the client's own queue: must not block.
    package var onContent: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    /// A request.
    package init(
        _ method: String, _ url: String, fields: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }

    package var description: String { "\(method) \(server)" }

    /// The server as scheme, host and port: without user information, path and query, which may be secret.
    package var server: String {
        if let unixSocket { return "unix:\(unixSocket)" }
        guard let (scheme, authority) = parts else { return "" }
        return "\(scheme)://\(authority)"
    }

    /// What makes the request one that cannot be sent; nil when nothing does.
    var fault: String? {
        guard let (_, authority) = parts, !authority.isEmpty else {
            return "the address is not http://HOST or https://HOST"
        }
        // A line end or a blank in a URL, a method or a field would be the begin of something else (RFC 9112 §11.1).
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return "the address has characters that have to be percent-encoded"
        }
        guard Self.isToken(method) else { return "the method is no token" }
        for (name, value) in fields {
            guard Self.isToken(name) else { return "a header field's name is no token" }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                return "the header field \(name) has control characters"
            }
        }
        return nil
    }

    private var parts: (scheme: String, authority: Substring)? {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
        let scheme = url[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[colon...].dropFirst(3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != "\\" }
        return (scheme, authority.lastIndex(of: "@").map { authority[$0...].dropFirst() } ?? authority)
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}

/// A response, whatever its status: redirections are answers like others and are not followed, so that nothing that a
/// request carries goes to another host.
package struct HTTPClientResponse: Sendable, CustomStringConvertible {
    /// The status.
    package let status: Int
    /// Header fields in the order they came.
    package let fields: [(name: String, value: String)]
    /// The content, decompressed.
    package let body: [UInt8]

    package var description: String { "\(status), \(body.count) bytes" }

    /// The value of the first header field called `name`, in any case; nil when there is none.
    package func field(_ name: String) -> String? {
        let wanted = name.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.value
    }
}
