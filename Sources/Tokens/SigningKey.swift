import Bytes
import Crypto
import FlagCore
import JSON
import JWTKit

/// A key that the server signs its tokens with: ES256, of which the public half is shown to everybody.
package struct SigningKey: Sendable {
    /// What tokens name it by.
    package let id: String
    /// From when on it signs.
    package let createdAt: Timestamp
    /// The secret half: 32 bytes.
    package let secret: [UInt8]
    private let algorithm: any JWTAlgorithm
    private let point: (x: String, y: String)

    /// How long one signs: a day.
    package static let signingMilliseconds: Int64 = 86_400_000
    /// How long its tokens can be about after that: an hour, and as far as clocks may be apart.
    package static let keptMilliseconds =
        signingMilliseconds + TokenIssue.lifetimeMilliseconds
        + TokenText.skewMilliseconds

    /// A new key.
    package init(createdAt: Timestamp) {
        let key = P256.Signing.PrivateKey()
        let id = SHA256.hash(data: key.publicKey.x963Representation).prefix(12)
        self.init(key, id: URLSafeText.text(of: Array(id)), createdAt)
    }

    /// A key that was kept; nil where the secret is none.
    package init?(id: String, secret: [UInt8], createdAt: Timestamp) {
        guard let key = try? P256.Signing.PrivateKey(rawRepresentation: secret) else { return nil }
        self.init(key, id: id, createdAt)
    }

    private init(_ key: P256.Signing.PrivateKey, id: String, _ createdAt: Timestamp) {
        func text(_ bytes: some Sequence<UInt8>) -> String {
            URLSafeText.text(of: Array(bytes))
        }
        let coordinates = key.publicKey.rawRepresentation
        self.id = id
        self.createdAt = createdAt
        secret = Array(key.rawRepresentation)
        point = (text(coordinates.prefix(32)), text(coordinates.suffix(32)))
        let secret = text(secret)
        let signer = try? Waiting.forResult {
            try await JWTKeyCollection().add(ecdsa: ES256PrivateKey(key: secret)).getKey()
        }
        guard let signer else { preconditionFailure("a key of P-256 is one of ES256") }
        algorithm = signer
    }

    /// Whether it still signs at an instant.
    package func signs(at now: Timestamp) -> Bool {
        let age = now.millisecondsSinceEpoch - createdAt.millisecondsSinceEpoch
        return (0..<Self.signingMilliseconds).contains(age)
    }

    /// Whether there can be tokens of it at an instant.
    package func isKept(at now: Timestamp) -> Bool {
        now.millisecondsSinceEpoch - createdAt.millisecondsSinceEpoch < Self.keptMilliseconds
    }

    /// The public half, as in a key set (RFC 7517 section 4, RFC 7518 section 6.2.1).
    package var publicHalf: JSONValue {
        [
            "kty": "EC", "crv": "P-256", "x": .string(point.x), "y": .string(point.y), "alg": "ES256", "use": "sig",
            "kid": .string(id),
        ]
    }

    /// Signs claims: the token. Not for a loop.
    package func token(of claims: JSONObject) -> [UInt8] {
        let header = JSONValue.object(["alg": "ES256", "typ": "JWT", "kid": .string(id)])
        let parts = [header, .object(claims)].map { URLSafeText.encode($0.serializedBytes()) }
        let signed = Array(parts.joined(separator: [UInt8(ascii: ".")]))
        guard let signature = try? algorithm.sign(signed) else { preconditionFailure("a whole key signs") }
        return signed + [UInt8(ascii: ".")] + URLSafeText.encode(signature)
    }

    /// Whether a token was signed with it. Not for a loop.
    package func verify(_ token: TokenText) -> Bool {
        token.algorithm == .es256 && token.keyID == id
            && ((try? algorithm.verify(token.signature, signs: token.signed)) ?? false)
    }
}
