import Access
import Dispatch
import DynamoModel
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON
import Platform
import TableEngine
import TestSupport
import Testing

@testable import AccessStore
@testable import Administration
@testable import FlagServer

@Suite("Users")
struct UserRoutesTests {
    private let server: RouteServer
    private let routes: LocalRoutes
    private let admin: [(String, String)]
    private static let password = "three cups of green tea"

    init() throws {
        server = try RouteServer(loops: 2, requiresAuthentication: true)
        routes = LocalRoutes(server.composition.administration, describedBy: .ofProgram(version: "1.2.3"))
        admin = [("X-API-Key", try server.makeKey(.admin, roles: [.admin]))]
    }

    private func send(_ method: String, _ path: String, _ body: String? = nil) throws -> TestResponse {
        try server.send(method, path, body, admin)
    }

    private func create(_ name: String, _ roles: String) throws -> String {
        let made = try send("POST", "/api/users", #"{"name":"\#(name)","roles":\#(roles)}"#)
        #expect(made.status == 201, "\(made.body)")
        return try #require(made.json["password"]?.stringValue)
    }

    /// Asks as a user does who has come in.
    private func asking(
        _ name: String, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil
    ) throws -> RouteResponse {
        let record = try server.composition.accounts.users.find(try #require(UserName(name)))
        return RouteResponse(
            routes.answer(RouteRequest(method, path, body: body?.serializedBytes()), of: record.caller))
    }

    @Test("A user is made with a password that is shown once, and is seen without it afterwards")
    func created() throws {
        let made = try send("POST", "/api/users", #"{"name":"ann","roles":{"*":["viewer"],"prod":["operator"]}}"#)
        #expect(made.status == 201 && made.fields["location"] == "/api/users/ann")
        #expect(made.fields["cache-control"] == "no-store")
        let password = try #require(made.json["password"]?.stringValue)
        #expect(made.json["passwordExpiresAt"] == "2026-01-03T03:04:05.678Z")
        let user = try send("GET", "/api/users/ann")
        #expect(!user.body.contains(password) && user.json["password"] == nil)
        #expect(
            user.json["roles"] == [
                "development": ["viewer"], "staging": ["viewer"], "production": ["viewer", "operator"],
            ])
        #expect(user.json["standing"] == "mustChangePassword" && user.json["state"] == "active")
        #expect(user.json["createdBy"]?.stringValue?.hasPrefix("key ") == true)
        #expect(try send("GET", "/api/users").json["users"] == [user.json])
        _ = try create("bob", #"{"*":["editor"]}"#)
        #expect(try send("GET", "/api/users/bob").json["roles"] == ["*": ["editor"]])
        #expect(try send("POST", "/api/users", #"{"name":"ann","roles":{}}"#).code == "user_exists")
    }

    @Test(
        "A user that makes no sense is refused with everything that is wrong",
        arguments: [
            ("{}", ["/name", "/roles"]), (#"{"name":"Ann","roles":[]}"#, ["/name", "/roles"]),
            (#"{"name":"ann","roles":{"mars":["viewer"]}}"#, ["/roles"]),
            (#"{"name":"ann","roles":{"*":["root"]}}"#, ["/roles"]),
            (#"{"name":"ann","roles":{"*":"viewer"}}"#, ["/roles"]),
            (#"{"name":"ann","roles":{},"password":"x"}"#, ["/password"]),
        ])
    func refused(body: String, pointers: [String]) throws {
        let answer = try send("POST", "/api/users", body)
        #expect(answer.status == 400 && answer.pointers == pointers, "\(answer.body)")
    }

    @Test("Administrators change roles, reset, disable and enable; nobody is found under another's name")
    func administered() throws {
        let first = try create("ann", #"{"dev":["editor"]}"#)
        #expect(try send("PUT", "/api/users/ann/roles", #"{"roles":{}}"#).json["roles"] == [:])
        #expect(try send("PUT", "/api/users/ann/roles", #"{}"#).pointers == ["/roles"])
        let second = try send("POST", "/api/users/ann/reset-password").json["password"]?.stringValue
        #expect(second != nil && second != first)
        #expect(try send("POST", "/api/users/ann/disable").json["state"] == "disabled")
        #expect(try send("POST", "/api/users/ann/enable").json["state"] == "active")
        #expect(try send("POST", "/api/users/ann/reset-totp").json["secondFactor"] == false)
        #expect(try send("DELETE", "/api/users/ann/sessions").status == 200)
        for path in ["/api/users/bob", "/api/users/ANN", "/api/users/%00", "/api/users/ann%2Fx"] {
            #expect(try send("GET", path).code == "user_not_found", "\(path)")
        }
        for part in ["reset-password", "reset-totp", "disable", "enable"] {
            #expect(try send("POST", "/api/users/bob/\(part)").code == "user_not_found")
        }
    }

    @Test("A user sees to their own account before they may anything else, and then may what their roles say")
    func ownAccount() throws {
        let first = try create("ann", #"{"*":["admin"]}"#)
        #expect(try asking("ann", .get, "/api/flags").status == 403)
        #expect(try asking("ann", .get, "/api/users").status == 403)
        #expect(try asking("ann", .get, "/api/account").json()["standing"] == "mustChangePassword")
        let change: JSONValue = ["password": .string(first), "newPassword": .string(Self.password)]
        let changed = try asking("ann", .put, "/api/account/password", change)
        #expect(changed.status == 200 && changed.field("Cache-Control") == "no-store")
        #expect(try changed.json()["standing"] == "mustEnrol")
        #expect(try asking("ann", .get, "/api/flags").status == 403)
        let proof: JSONValue = ["password": .string(Self.password)]
        let begun = try asking("ann", .post, "/api/account/totp", proof).json()
        #expect(begun["uri"]?.stringValue?.contains(try #require(begun["secret"]?.stringValue)) == true)
        let refused = try asking("ann", .post, "/api/account/totp/confirm", ["code": "abc"])
        #expect(try refused.json()["code"] == "second_factor")
        let code = try Self.code(#require(begun["secret"]?.stringValue))
        let confirmed = try asking("ann", .post, "/api/account/totp/confirm", ["code": .string(code)])
        #expect(try confirmed.json()["recoveryCodes"]?.arrayValue?.count == 10)
        #expect(try asking("ann", .get, "/api/flags").status == 200)
        #expect(try asking("ann", .get, "/api/users").status == 200)
        let again = try asking("ann", .post, "/api/account/recovery-codes", proof)
        #expect(try again.json()["code"] == "sign_in_refused")
    }

    @Test("A password that does not do is refused with the reason, and never told back")
    func unsuitable() throws {
        let first = try create("ann", "{}")
        for next in ["short", "password1234567", String(repeating: "q", count: 129)] {
            let answer = try asking(
                "ann", .put, "/api/account/password", ["password": .string(first), "newPassword": .string(next)])
            let problem = try answer.json()
            #expect(answer.status == 400 && problem["code"] == "unsuitable_password")
            #expect(problem["errors"]?.arrayValue?.first?["pointer"] == "/newPassword")
            #expect(!String(decoding: answer.content, as: UTF8.self).contains(next))
        }
        let wrong = try asking(
            "ann", .put, "/api/account/password", ["password": "not the one", "newPassword": .string(Self.password)])
        #expect(try wrong.status == 403 && wrong.json()["code"] == "sign_in_refused")
    }

    @Test("Who tries too often is told when to come back")
    func delayed() throws {
        let first = try create("ann", "{}")
        let body: JSONValue = ["password": "not the one", "newPassword": .string(Self.password)]
        for _ in 0..<3 { #expect(try asking("ann", .put, "/api/account/password", body).status == 403) }
        let late = try asking("ann", .put, "/api/account/password", body)
        #expect(try late.status == 429 && late.json()["code"] == "sign_in_delayed")
        #expect(late.field("Retry-After") == "1")
        _ = first
    }

    @Test("Nothing is done behind passwords for somebody who has gone: no password is replaced unseen")
    func abandoned() throws {
        let held = DispatchSemaphore(value: 0)
        let line = server.composition.accounts.line
        #expect(line.submit(.caller) { held.wait() })
        let leaving = try server.connect()
        try leaving.write(
            Array(
                TestConnection.request(
                    "POST", "/api/users", #"{"name":"ghost","roles":{"development":["editor"]}}"#, admin
                ).utf8))
        try waitUntil { line.waitingCount == 2 }
        leaving.abort()
        try waitUntil { server.composition.server.statistics().map(\.connectionsOpen).reduce(0, +) == 1 }
        held.signal()
        try waitUntil { line.waitingCount == 0 }
        #expect(try send("GET", "/api/users/ghost").status == 404)
    }

    @Test("Keys and commands have no account")
    func others() throws {
        #expect(try send("GET", "/api/account").code == "no_account")
        let local = routes.answer(RouteRequest(.get, "/api/account"), of: .local(user: "root"))
        #expect(local.status == .forbidden)
    }

    /// The code of this moment, as an app computes it of a secret that was typed in.
    private static func code(_ secret: String) throws -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = try secret.map { letter in
            let digits = String(try #require(alphabet.firstIndex(of: letter)), radix: 2)
            return String(repeating: "0", count: 5 - digits.count) + digits
        }.joined()
        let bytes = stride(from: 0, to: bits.count / 8 * 8, by: 8).compactMap { place in
            UInt8(bits.dropFirst(place).prefix(8), radix: 2)
        }
        return TOTP.code(bytes, step: TOTP.step(at: RouteServer.start), SecondFactorSeal.mac)
    }
}
