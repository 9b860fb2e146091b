/// Why a request is not taken for what its signature says, in AWS's words.
package enum SignatureError: Error, Sendable, Equatable {
    /// There is no signature.
    case missing
    /// Something that belongs to one is missing, or cannot be read.
    case incomplete(String)
    /// Nobody is known by what is presented.
    case unrecognized
    /// It is not the signature of this request, or not of now.
    case invalid(String)

    /// The request was changed, or signed with another secret.
    static let mismatch = SignatureError.invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
            + "Key and signing method. Consult the service documentation for details.")

    /// What clients are told.
    package var message: String {
        switch self {
        case .missing: "Request is missing Authentication Token"
        case .incomplete(let message), .invalid(let message): message
        case .unrecognized: "The security token included in the request is invalid."
        }
    }
}
