/// How a client connects, how long it waits and how much it takes.
package struct HTTPClientSettings: Sendable, Equatable {
    /// For a connection, TLS included.
    package var connectTimeout = Duration.seconds(10)
    /// For the whole of a request, from `send` to the last byte of the response; waiting for a connection counts.
    package var timeout = Duration.seconds(30)
    /// Bytes of a response's content, after decompression.
    package var responseBytes = 16 << 20
    /// Bytes of a response's header.
    package var headerBytes = 64 << 10
    /// Connections to one host; further requests wait.
    package var connectionsPerHost = 16
    /// Connections in all, of which those that are idle wait for the next request; further requests wait.
    package var connections = 64
    /// A PEM file with the certificates to trust in place of the system's; nil for the system's.
    package var certificateFile: String?
    /// What the client calls itself.
    package var userAgent: String

    /// The defaults.
    package init(userAgent: String) {
        self.userAgent = userAgent
    }
}
