import Bytes
import FlagCore
import JSON
import Testing

@testable import Tokens

@Suite("Tokens")
struct TokenTextTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_767_323_045_678)
    private static let key = SigningKey(createdAt: now)

    /// A token of a header and claims, as JSON text.
    private static func text(_ header: String, _ claims: String, signature: [UInt8] = [1, 2, 3]) -> String {
        [Array(header.utf8), Array(claims.utf8), signature]
            .map { URLSafeText.text(of: $0) }.joined(separator: ".")
    }

    private static func read(_ text: String) -> Result<TokenText, TokenFault> {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(TokenFault) { return .success(try TokenText(bytes)) } catch { return .failure(error) }
        }
    }

    private static let header = #"{"alg":"ES256","kid":"k"}"#
    private static let claims = #"{"iss":"i","sub":"s","aud":"a","exp":1767323100}"#

    @Test("A whole one is read")
    func whole() throws {
        let token = try Self.read(Self.text(Self.header, Self.claims)).get()
        #expect(token.algorithm == .es256)
        #expect(token.keyID == "k")
        #expect(token.claims.audiences == ["a"])
        #expect(token.claims.expiresAt.secondsSinceEpoch == 1_767_323_100)
    }

    @Test(
        "What would choose its own check is refused",
        arguments: [
            (#"{"alg":"none"}"#, TokenFault.algorithm("none")), (#"{"alg":"None"}"#, .algorithm("None")),
            (#"{"alg":"HS256","kid":"k"}"#, .algorithm("HS256")), (#"{"alg":"HS512"}"#, .algorithm("HS512")),
            (#"{"alg":"ES256","jwk":{"kty":"EC"}}"#, .header("jwk")),
            (#"{"alg":"ES256","jku":"https://evil.example/k"}"#, .header("jku")),
            (#"{"alg":"ES256","x5u":"https://evil.example/k"}"#, .header("x5u")),
            (#"{"alg":"ES256","x5c":["MII"]}"#, .header("x5c")),
            (#"{"alg":"ES256","crit":["b64"],"b64":false}"#, .header("crit")),
            (#"{"alg":"a name that is far too long to be told"}"#, .algorithm("another algorithm")),
        ])
    func ownChoice(header: String, fault: TokenFault) {
        #expect(throws: fault) { try Self.read(Self.text(header, Self.claims)).get() }
    }

    @Test(
        "What is no token is refused, and nothing breaks",
        arguments: [
            "ey", "ey.", "ey..", "ey.ey.ey", "ey....", "eyJhbGciOiJFUzI1NiJ9.e30", "eyJhbGciOiJFUzI1NiJ9.e30.",
            text(#"{"alg":"ES256","alg":"none"}"#, claims), text(#"{"alg":1}"#, claims), text("[]", claims),
            text(#"{"alg":"ES256","kid":1}"#, claims), text("{}", claims), text("{", claims),
            text(header, #"{"iss":"i","iss":"flag-server","sub":"s","exp":1}"#),
            text(header, #"{"iss":"i","sub":"s"}"#), text(header, #"{"iss":"i","exp":1}"#),
            text(header, #"{"iss":1,"sub":"s","exp":1}"#), text(header, #"{"iss":"i","sub":"s","exp":"1"}"#),
            text(header, #"{"iss":"i","sub":"s","exp":1e999}"#), text(header, #"{"iss":"i","sub":"s","exp":-1}"#),
            text(header, #"{"iss":"i","sub":"s","exp":1,"aud":[1]}"#), text(header, "\u{1}é"),
            text(header, claims) + "=", text(header, claims) + ".x", text(header, claims, signature: []),
            "ey" + String(repeating: "A", count: 9000), "eyé.é.é",
            text(header, "{\"iss\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}"),
        ])
    func malformed(text: String) {
        #expect(throws: TokenFault.self) { try Self.read(text).get() }
    }

    @Test("Every part of a token that is cut off is refused")
    func prefixes() {
        let text = Array(Self.text(Self.header, Self.claims).utf8)
        let shortest = text.count - 4
        for end in 0..<shortest {
            let part = Self.read(String(decoding: text[..<end], as: UTF8.self))
            #expect(throws: TokenFault.self) { try part.get() }
        }
    }

    @Test("A token is good for its audience and its time, give or take a minute")
    func times() throws {
        func check(_ claims: String, _ audience: String = "a") -> TokenFault? {
            do throws(TokenFault) {
                try Self.read(Self.text(Self.header, claims)).get().claims.check(for: audience, at: Self.now)
                return nil
            } catch { return error }
        }
        func claims(_ more: String) -> String { #"{"iss":"i","sub":"s","aud":["b","a"],\#(more)}"# }
        func at(_ second: Int64) -> Timestamp { Timestamp(millisecondsSinceEpoch: second * 1000) }
        #expect(check(claims(#""exp":1767323046"#)) == nil)
        #expect(check(claims(#""exp":1767322986"#)) == nil)
        #expect(check(claims(#""exp":1767322985"#)) == .expired(at(1_767_322_985)))
        #expect(check(claims(#""exp":1767323100,"nbf":1767323105"#)) == nil)
        #expect(check(claims(#""exp":1767323100,"nbf":1767323106"#)) == .early(at(1_767_323_106)))
        #expect(check(claims(#""exp":1767323100,"iat":1767323106"#)) == .early(at(1_767_323_106)))
        #expect(check(claims(#""exp":1767323100"#), "other") == .audience)
        #expect(check(#"{"iss":"i","sub":"s","exp":1767323100}"#) == .audience)
    }

    @Test("What the server signs is good by its key, by the public half in a set, and by no other")
    func signatures() throws {
        let token = try Self.read(
            String(decoding: Self.key.token(of: ["iss": "i", "sub": "s", "exp": 1]), as: UTF8.self)
        )
        .get()
        #expect(Self.key.verify(token))
        let set: JSONValue = ["keys": [Self.key.publicHalf]]
        let keys = try VerificationKeys.reading(set.serializedBytes(), for: [.es256, .rs256])
        #expect(keys.has(token.keyID, for: .es256) && !keys.has("other", for: .es256) && !keys.has(nil, for: .rs256))
        #expect(keys.verify(token))
        let other = SigningKey(createdAt: Self.now)
        #expect(!other.verify(token))
        var text = Array(String(decoding: Self.key.token(of: ["iss": "i", "sub": "s", "exp": 1]), as: UTF8.self).utf8)
        text[text.count - 10] = text[text.count - 10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        let changed = try Self.read(String(decoding: text, as: UTF8.self)).get()
        #expect(!Self.key.verify(changed) && !keys.verify(changed))
    }

    @Test("A key is opened with what it was sealed with, under its own name alone")
    func sealing() throws {
        let (seal, other) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        let sealed = try #require(Self.key.sealed(with: seal))
        #expect(SigningKey(id: Self.key.id, sealed: sealed, with: seal, createdAt: Self.now)?.secret == Self.key.secret)
        #expect(SigningKey(id: Self.key.id, sealed: sealed, with: other, createdAt: Self.now) == nil)
        #expect(SigningKey(id: "other", sealed: sealed, with: seal, createdAt: Self.now) == nil)
        #expect(SigningKey(id: Self.key.id, sealed: [], with: seal, createdAt: Self.now) == nil)
    }

    @Test(
        "A set of keys without one that can be used is refused",
        arguments: [
            "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AA","alg":"HS256"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#, #"{"keys":[1]}"#,
            #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","use":"enc"}]}"#,
        ])
    func uselessSets(text: String) {
        #expect(throws: KeySetFault.self) {
            try VerificationKeys.reading(Array(text.utf8), for: TokenAlgorithm.allCases)
        }
    }
}
