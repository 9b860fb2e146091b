import JSON
import Testing

@testable import Access
@testable import FlagServer

@Suite("Access keys of the DynamoDB port")
struct AccessKeyRoutesTests {
    private let server: RouteServer

    init() throws { server = try RouteServer() }

    private static let policy = #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#

    private func create(_ body: String) throws -> TestResponse { try server.send("POST", "/api/access-keys", body) }

    @Test("A key is handed out once, and afterwards goes by its identifier")
    func created() throws {
        let made = try create(#"{"name":"ops","policy":\#(Self.policy)}"#)
        #expect(made.status == 201 && made.fields["cache-control"] == "no-store")
        let id = try #require(made.json["AccessKeyId"]?.stringValue)
        let secret = try #require(made.json["SecretAccessKey"]?.stringValue)
        #expect(id.wholeMatch(of: /AKIA[A-Z2-7]{16}/) != nil && secret.utf8.count == 40)
        #expect(made.json["name"] == "ops" && made.json["createdAt"] == "2026-01-02T03:04:05.678Z")
        #expect(made.fields["location"] == "/api/access-keys/\(id)" && made.json["warnings"] == nil)
        let shown = try server.send("GET", "/api/access-keys/\(id)")
        #expect(shown.json["policy"] == (try JSONValue(parsing: Self.policy)))
        #expect(shown.json["state"] == "active" && shown.json["createdBy"] == "anonymous")
        let listed = try server.send("GET", "/api/access-keys")
        #expect(listed.json["accessKeys"]?.arrayValue?.map { $0["AccessKeyId"] } == [.string(id)])
        for answer in [shown, listed] { #expect(!answer.body.contains(secret) && !answer.body.contains("Secret")) }
        #expect(try server.send("GET", "/api/keys").json["keys"] == [])
        let other = try create(#"{"name":"ops","policy":\#(Self.policy)}"#)
        #expect(other.json["AccessKeyId"] != made.json["AccessKeyId"])
        #expect(other.json["SecretAccessKey"] != made.json["SecretAccessKey"])
    }

    @Test("A key is revoked once, and the reason stays")
    func revoked() throws {
        let id = try #require(try create(#"{"name":"a","policy":\#(Self.policy)}"#).json["AccessKeyId"]?.stringValue)
        let path = "/api/access-keys/\(id)"
        for reason in ["leaked", "again"] {
            let answer = try server.send("DELETE", "\(path)?reason=\(reason)")
            #expect(answer.json["state"] == "revoked" && answer.json["reason"] == "leaked")
            #expect(answer.json["revokedBy"] == "anonymous")
        }
        #expect(try server.send("GET", path).json["revokedAt"] == "2026-01-02T03:04:05.678Z")
        for method in ["GET", "DELETE"] {
            let unknown = try server.send(method, "/api/access-keys/AKIAAAAAAAAAAAAAAAAA")
            #expect(unknown.status == 404 && unknown.code == "key_not_found")
        }
    }

    @Test(
        "A key that makes no sense is refused with everything that is wrong",
        arguments: [
            ("{}", ["/name", "/policy"]), (#"{"name":"","policy":\#(policy)}"#, ["/name"]),
            (#"{"name":"a","policy":"x"}"#, ["/policy"]), (#"{"name":"a","policy":{}}"#, ["/policy/Statement"]),
            (#"{"name":"a","policy":\#(policy),"secret":"x"}"#, ["/secret"]),
            (
                #"{"name":"a","policy":{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","#
                    + #""Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}"#,
                ["/policy/Statement/0/Condition/Bool", "/policy/Statement/0/Condition/Bool/aws:SecureTransport"]
            ),
        ])
    func refused(body: String, pointers: [String]) throws {
        let answer = try create(body)
        #expect(answer.status == 400 && answer.pointers == pointers, "\(answer.body)")
    }

    @Test("What of a policy never matches is told")
    func warned() throws {
        let answer = try create(
            #"{"name":"a","policy":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","#
                + #""Condition":{"StringEquals":{"aws:SourceVpc":"v"}}}}}"#)
        #expect(answer.status == 201)
        #expect(answer.json["warnings"]?.arrayValue?.first?.stringValue?.contains("never matches") == true)
    }
}
