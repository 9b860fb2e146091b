import ArgumentParser
import HTTPTransport

/// The certificate as options.
struct TLSOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A PEM file with the certificate and those of its issuers.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("A PEM file with the certificate's private key.", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("The oldest version spoken.", valueName: "1.2|1.3"))
    var tlsMinimumVersion = "1.3"

    /// What was chosen; nil without a certificate.
    var configuration: TLSConfiguration? {
        guard let tlsCertificate, let tlsKey else { return nil }
        var configuration = TLSConfiguration(certificateFile: tlsCertificate, keyFile: tlsKey)
        configuration.minimumVersion = TLSConfiguration.Version(rawValue: tlsMinimumVersion) ?? .tls13
        return configuration
    }

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        guard TLSConfiguration.Version(rawValue: tlsMinimumVersion) != nil else {
            throw ValidationError("--tls-minimum-version must be 1.2 or 1.3, not \(tlsMinimumVersion).")
        }
    }
}
