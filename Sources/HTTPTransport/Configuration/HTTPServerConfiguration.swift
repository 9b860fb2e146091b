import Bytes

/// How a server listens, and what it allows.
package struct HTTPServerConfiguration: Sendable {
    /// Writes the content of a response that the transport gives itself: a faulty request, a time-out, an overload.
    ///
    /// - Parameters:
    ///   - status: The response's status.
    ///   - detail: One sentence for people, without anything that the peer sent.
    ///   - requestID: What the request is called; nil where nothing was read of one.
    /// - Returns: The media type and the bytes.
    package typealias ErrorBody =
        @Sendable (_ status: HTTPStatus, _ detail: String, _ requestID: RequestID?) -> (
            contentType: String, body: [UInt8]
        )

    /// Where to listen; at least one.
    package var addresses: [SocketAddress]
    /// How many event loops; one for each core is best.
    package var loops: Int
    /// Bounds on what peers may send and hold.
    package var limits = HTTPLimits()
    /// How long to wait for what.
    package var timeouts = HTTPTimeouts()
    /// With what connections over TCP are secured; nil for not at all. Unix sockets never are.
    package var tls: TLSConfiguration?
    /// Which answers are compressed.
    package var compression = HTTPCompression()
    /// Proxies whose word counts for who asks (`Forwarded`, `X-Forwarded-For`), that may ask for `https` targets on a
    /// connection without TLS, and whose connections `HTTPLimits.connectionsPerAddress` does not bound.
    package var trustedProxies: [AddressRange] = []
    /// Which responses are told of; nil for none.
    package var accessLog: AccessLog?
    /// Fields that every response has, beside `Date`.
    package var standingFields: [(name: StaticString, value: StaticString)] = []
    /// Whether answers say how long their connection is kept for another request (`Keep-Alive: timeout=…`), so that a
    /// client sends none at the moment when it is closed.
    package var tellsIdleTimeout = false
    /// The content of responses that the transport gives itself; plain text unless set.
    package var errorBody: ErrorBody = { status, detail, _ in
        ("text/plain; charset=utf-8", Array("\(status.code) \(status.reason): \(detail)\n".utf8))
    }

    /// A configuration with the default limits and time-outs.
    ///
    /// - Parameters:
    ///   - addresses: Where to listen; at least one.
    ///   - loops: How many event loops; 1 to 1,024.
    package init(addresses: [SocketAddress], loops: Int) {
        self.addresses = addresses
        self.loops = loops
    }

    /// Checks every setting.
    ///
    /// - Throws: `TransportError.invalidConfiguration`, naming the setting.
    package func validate() throws(TransportError) {
        if addresses.isEmpty { throw .invalidConfiguration("there is no address to listen on") }
        for case .tcp(_, let port) in addresses { try require("port", port, in: 0...65_535) }
        try require("loops", loops, in: 1...1024)
        try limits.validate()
        try timeouts.validate()
        try compression.validate()
    }
}
