/// Why there is no response. Names the server by scheme, host and port only: paths, queries, header fields and contents
/// may hold secrets and are in no description.
package struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Kind: Sendable, Equatable, CaseIterable {
        /// libcurl is not there, or too old.
        case library
        /// The request cannot be sent as it is.
        case invalidRequest
        /// The host's name is not known.
        case unresolved
        /// No connection came about.
        case unreachable
        /// No connection came about in time.
        case connectTimeout
        /// The response was not whole in time.
        case timeout
        /// The proxy does not do what it should.
        case proxy
        /// The server's certificate is not to be trusted.
        case untrusted
        /// The file with certificates to trust cannot be used.
        case certificateFile
        /// The two sides did not agree on TLS.
        case handshake
        /// The connection broke off, or what came is no HTTP.
        case broken
        /// The response's content, or its header, is larger than it may be.
        case tooLarge
        /// The client was closed meanwhile.
        case closed
        /// Something else in libcurl.
        case failed
    }

    /// What went wrong.
    package let kind: Kind
    /// The server, as `https://host:port`.
    package let server: String
    /// What exactly, mostly in libcurl's words.
    package let reason: String

    /// What went wrong, with whom and why.
    init(_ kind: Kind, server: String, reason: String) {
        self.kind = kind
        self.server = server
        self.reason = reason
    }

    /// Whether the request may have reached the server: then it may have been done, and only what may be done twice
    /// should be sent again.
    package var mayHaveArrived: Bool {
        switch kind {
        case .timeout, .broken, .tooLarge, .closed, .failed: true
        case .library, .invalidRequest, .unresolved, .unreachable, .connectTimeout, .proxy, .untrusted,
            .certificateFile, .handshake:
            false
        }
    }

    /// What happened, and what to do.
    package var description: String {
        let what = server.isEmpty ? reason : "\(server): \(reason)"
        return advice.isEmpty ? what : "\(what); \(advice)"
    }

    private var advice: String {
        switch kind {
        case .library: "install libcurl (the package libcurl4 of Debian)"
        case .unresolved: "check the host's name and this machine's name servers"
        case .unreachable: "check the address, and that the server is running"
        case .connectTimeout: "check the address, and firewalls on the way"
        case .timeout: "the server is busy or the way to it slow"
        case .proxy: "check http_proxy, https_proxy and no_proxy"
        case .untrusted: "trust the server's issuer by a file with its certificate, or use the name in the certificate"
        case .certificateFile: "it must be a PEM file with certificates that this user may read"
        case .handshake: "check that the server speaks TLS 1.2 or later on this port"
        case .invalidRequest, .broken, .tooLarge, .closed, .failed: ""
        }
    }
}
