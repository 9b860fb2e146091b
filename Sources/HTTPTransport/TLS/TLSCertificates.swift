import Platform

/// The certificate that new connections get; it can be exchanged while others go on with the one they have.
package final class TLSCertificates: Sendable {
    private let configuration: TLSConfiguration
    private let context: Locked<TLSContext>

    /// - Throws: `TransportError.certificate`.
    init(_ configuration: TLSConfiguration) throws(TransportError) {
        self.configuration = configuration
        context = Locked(try TLSContext(configuration))
    }

    /// Reads certificate and key as a start would, and lets go of them.
    ///
    /// - Throws: `TransportError.certificate`.
    package static func check(_ configuration: TLSConfiguration) throws(TransportError) {
        _ = try TLSContext(configuration)
    }

    /// What a connection begins with now.
    var current: TLSContext { context.withLock { $0 } }

    /// When the certificate ends that new connections get, in seconds since 1970; nil where it does not say so.
    var end: Int64? { current.certificateEnd }

    /// Reads certificate and key again. When that fails, what was there stays.
    ///
    /// - Throws: `TransportError.certificate`.
    func reload() throws(TransportError) {
        let next = try TLSContext(configuration, after: current)
        context.withLock { $0 = next }
    }
}
