/// With which certificate connections over TCP are secured, and how.
package struct TLSConfiguration: Sendable, Equatable {
    /// The path of a PEM file with the certificate, and behind it those that lead to its root.
    package var certificateFile: String
    /// The path of a PEM file with the certificate's private key, without a pass phrase.
    package var keyFile: String
    /// The oldest version of TLS that is spoken.
    package var minimumVersion = Version.tls13

    /// Versions that may be the oldest.
    package enum Version: String, Sendable, CaseIterable {
        /// RFC 5246; for clients that know nothing newer.
        case tls12 = "1.2"
        /// RFC 8446.
        case tls13 = "1.3"
    }

    /// TLS 1.3 with the certificate and key in these files.
    package init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}
