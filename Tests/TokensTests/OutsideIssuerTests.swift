import Access
import FlagCore
import JSON
import Testing

@testable import Tokens

@Suite("Outside issuers")
struct OutsideIssuerTests {
    private static let file = #"""
        {"issuers": [{"issuer": "https://a.example", "audience": "flags", "keys": "https://a.example/jwks",
          "claim": "realm_access.roles", "roles": [
            {"value": "readers", "role": "viewer", "environment": "*"},
            {"value": "callers", "role": "operator", "environment": "production"}]}]}
        """#

    private func issuer() throws -> OutsideIssuer {
        OutsideIssuer(try #require(OutsideIssuer.Settings.list(Array(Self.file.utf8)).first))
    }

    private func claims(_ more: String) throws -> TokenClaims {
        let text = #"{"iss":"https://a.example","sub":"ada","aud":"flags","exp":1767323100\#(more)}"#
        return try TokenClaims(try #require(try JSONValue(parsing: text).objectValue))
    }

    @Test("What is left out is as is usual")
    func defaults() throws {
        let settings = try issuer().settings
        #expect(settings.algorithms == [.rs256, .es256])
        #expect(settings.grants.map(\.environment) == [nil, .production])
    }

    @Test("The values of the claim give roles, each where it is said")
    func roles() throws {
        let issuer = try issuer()
        let both = try issuer.caller(of: claims(#","realm_access":{"roles":["callers","x","readers"]}"#))
        #expect(both.permissions(in: .production) == Role.operator.permissions)
        #expect(both.permissions(in: .staging) == Role.viewer.permissions)
        #expect("\(both.principal)" == "account ada@https://a.example")
        #expect(try issuer.caller(of: claims(#","realm_access":{"roles":"readers"}"#)).anywhere == .read)
    }

    @Test("A text is one value, but where OAuth writes several: in a scope")
    func texts() throws {
        let (groups, claims) = (try issuer(), try claims(#","realm_access":{"roles":"we are not readers"}"#))
        #expect(throws: TokenFault.roles) { try groups.caller(of: claims) }
        let scopes = Self.file.replacing("realm_access.roles", with: "scope")
        let issuer = OutsideIssuer(try #require(OutsideIssuer.Settings.list(Array(scopes.utf8)).first))
        #expect(try issuer.caller(of: self.claims(#","scope":"a readers""#)).anywhere == .read)
    }

    @Test(
        "A subject that cannot stand in a log is nobody's name",
        arguments: ["a\\nb", "\\u202Ea", "\(String(repeating: "x", count: 257))"])
    func subjects(text: String) throws {
        let json =
            #"{"iss":"https://a.example","sub":"\#(text)","exp":1767323100,"realm_access":{"roles":["readers"]}}"#
        let claims = try TokenClaims(try #require(try JSONValue(parsing: json).objectValue))
        let issuer = try issuer()
        #expect(throws: TokenFault.self) { try issuer.caller(of: claims) }
    }

    @Test(
        "Whoever has none of the values is nobody",
        arguments: [
            "", #","realm_access":{}"#, #","realm_access":"readers""#, #","realm_access":{"roles":[1]}"#,
            #","roles":["readers"]"#, #","realm_access":{"roles":["Readers"]}"#,
        ])
    func nobody(more: String) throws {
        let (issuer, claims) = (try issuer(), try claims(more))
        #expect(throws: TokenFault.roles) { try issuer.caller(of: claims) }
    }

    @Test(
        "A file that is none, or has more than is known, is refused",
        arguments: [
            "", "[]", "{}", #"{"issuers":{}}"#, #"{"issuers":[],"more":1}"#, #"{"issuers":[1]}"#,
            file.replacing("https://a.example/jwks", with: "http://a.example/jwks"),
            file.replacing("https://a.example/jwks", with: "http://localhost.evil.example/jwks"),
            file.replacing("https://a.example/jwks", with: "http://localhost:80@evil.example/jwks"),
            file.replacing(#""audience": "flags", "#, with: ""), file.replacing("viewer", with: "king"),
            file.replacing("production", with: "moon"), file.replacing(#""claim""#, with: #""claims""#),
            file.replacing("https://a.example\"", with: "flag-server\""),
        ])
    func refused(text: String) {
        #expect(throws: IssuerFileFault.self) { try OutsideIssuer.Settings.list(Array(text.utf8)) }
    }
}
