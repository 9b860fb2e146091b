/// How a token may be signed: with a key of which only one half is needed to check (RFC 7518 section 3.1, RFC 8037).
///
/// There is neither `none` nor one whose key both sides know: a public half can never be taken for a secret.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case es256 = "ES256"
    case es384 = "ES384"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case eddsa = "EdDSA"

    /// All of them, for people.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// The kind of keys that it is for, and their curve (RFC 7518 section 6.1).
    var keyType: (type: String, curve: String?) {
        switch self {
        case .es256: ("EC", "P-256")
        case .es384: ("EC", "P-384")
        case .rs256, .rs384, .rs512, .ps256: ("RSA", nil)
        case .eddsa: ("OKP", "Ed25519")
        }
    }
}
