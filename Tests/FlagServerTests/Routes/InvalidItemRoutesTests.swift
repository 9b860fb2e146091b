import DynamoModel
import FlagCore
import FlagStore
import JSON
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Items that are not valid, in every answer")
struct InvalidItemRoutesTests {
    /// What somebody wrote by hand, and what it is called.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let items: [Item]
        /// What the lists of flags, of the flag's and the tenant's overrides, and of segments name.
        var flags: [String] = []
        var overrides: [String] = []
        var segments: [String] = []
        var testDescription: String { name }
    }

    private static let flag: Item = [
        "PK": "FLAG#development#f", "SK": "METADATA", "flagKey": "f", "description": "d", "defaultEnabled": true,
        "owner": "ops", "createdAt": "2026-01-02T03:04:05Z", "tags": .list(["t"]), "expiresAt": "2026-02-01T00:00:00Z",
    ]
    private static let override: Item = ["PK": "TENANT#development#acme", "SK": "FLAG#f", "enabled": false]
    private static let segment: Item = [
        "PK": "SEGMENT#development#s", "SK": "METADATA", "description": "d", "owner": "o",
        "createdAt": "2026-01-01T00:00:00Z", "condition": #"{"segment":"other"}"#,
    ]
    private static let named: Item = flag.filter { $0.key != "defaultEnabled" }.merging([
        "definition": .string(
            #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","#
                + #""targeting":{"if":[{"segment":"s"},"on","off"]}}"#)
    ]) { $1 }
    private static let long = AttributeValue.string(String(repeating: "x", count: 100_000))
    private static let deep = (0..<30).reduce(AttributeValue.string("x")) { value, _ in .list([value]) }

    static let kinds: [Kind] = [
        Kind(name: "a flag", items: [flag.merging(["defaultEnabled": "yes"]) { $1 }], flags: ["f"]),
        Kind(name: "a flag of nothing", items: [["PK": "FLAG#development#f", "SK": "METADATA"]], flags: ["f"]),
        Kind(
            name: "a flag of other types",
            items: [
                [
                    "PK": "FLAG#development#f", "SK": "METADATA", "flagKey": 7, "description": deep, "owner": .null,
                    "createdAt": true, "tags": deep, "expiresAt": long, "rollout": deep, "requires": long,
                    "definition": deep, "version": .number(.max), "updatedAt": 1, "keptInvalid": "x",
                ]
            ], flags: ["f"]),
        Kind(
            name: "a flag that was valid", items: [named, named.merging(["definition": "{"]) { $1 }], flags: ["f"]),
        Kind(
            name: "a flag with a time that cannot be",
            items: [flag, flag.merging(["expiresAt": "9999-12-31T23:59:59-05:00"]) { $1 }], flags: ["f"]),
        Kind(name: "an override", items: [flag, override.merging(["enabled": 7]) { $1 }], overrides: ["f acme"]),
        Kind(
            name: "an override that was valid",
            items: [flag, override, override.merging(["expiresAt": "never", "updatedAt": deep]) { $1 }],
            overrides: ["f acme"]),
        Kind(
            name: "a kill switch",
            items: [
                flag,
                [
                    "PK": "EMERGENCY#development", "SK": "FLAG#f", "enabled": deep, "reason": long,
                    "activatedAt": "9999-12-31T23:59:59-05:00", "activatedBy": 7,
                ], ["PK": "EMERGENCY#development", "SK": "GLOBAL", "enabled": .null],
            ]),
        Kind(name: "a segment", items: [segment.merging(["condition": "{", "owner": deep]) { $1 }], segments: ["s"]),
        Kind(
            name: "a segment that was valid",
            items: [named, segment, segment.merging(["condition": long]) { $1 }], segments: ["s"]),
        Kind(
            name: "keys of a segment",
            items: [
                segment, ["PK": "SEGMENT#development#s", "SK": .string("KEY#" + String(repeating: "k", count: 1_020))],
                ["PK": "SEGMENT#development#s", "SK": "KEY#a", "x": deep],
            ]),
        Kind(
            name: "a revision", items: [flag, ["PK": "REVISION#development", "SK": "METADATA", "revision": "many"]]),
    ]

    static let routes: [(method: String, path: String, body: String?)] = [
        ("GET", "/api/flags", nil), ("GET", "/api/flags?owner=ops", nil), ("GET", "/api/flags?tag=t", nil),
        ("GET", "/api/flags?expiresBefore=2027-01-01T00:00:00Z", nil), ("GET", "/api/flags/f", nil),
        ("GET", "/api/flags/by-key/f", nil), ("GET", "/api/flags/f/history", nil),
        ("GET", "/api/flags/f/dependents", nil), ("GET", "/api/flags/f/tenants", nil),
        ("GET", "/api/tenants/acme/flags", nil), ("GET", "/api/tenants/acme/flags/f", nil),
        ("GET", "/api/segments", nil), ("GET", "/api/segments/s", nil), ("GET", "/api/segments/s/history", nil),
        ("GET", "/api/segments/s/uses", nil), ("GET", "/api/segments/s/keys", nil),
        ("GET", "/api/emergency/kill-switch", nil), ("GET", "/api/export", nil),
        ("GET", "/api/export?format=flagd", nil), ("GET", "/metrics", nil), ("GET", "/health", nil),
        ("POST", "/api/explain", #"{"flagKey":"f","context":{"targetingKey":"a","tenantId":"acme"}}"#),
        ("POST", "/api/evaluate", #"{"flagKey":"f","tenantId":"acme","context":{"targetingKey":"a"}}"#),
        ("POST", "/ofrep/v1/evaluate/flags/f", #"{"context":{"targetingKey":"a","tenantId":"acme"}}"#),
        ("POST", "/ofrep/v1/evaluate/flags", #"{"context":{"targetingKey":"a"}}"#),
    ]

    private func server(writing items: [Item]) throws -> RouteServer {
        let server = try RouteServer()
        for item in items {
            try server.table.store.transactAndWait(
                [.put(table: Profile.local.tableName, item: item)], principal: .anonymous)
        }
        server.composition.follower.waitUntilIdle()
        return server
    }

    @Test("No route fails, and every list names them", arguments: kinds)
    func everyRoute(kind: Kind) throws {
        let server = try server(writing: kind.items)
        for (method, path, body) in Self.routes {
            let answer = try server.send(method, path, body)
            #expect(answer.status < 500, "\(method) \(path): \(answer.status) \(answer.body.prefix(300))")
        }
        func named(_ path: String, _ members: String...) throws -> [String] {
            (try server.send("GET", path).json["invalid"]?.arrayValue ?? []).map { entry in
                #expect(entry["errors"]?.arrayValue?.isEmpty == false)
                return members.map { entry[$0]?.stringValue ?? "?" }.joined(separator: " ")
            }
        }
        #expect(try named("/api/flags", "flagKey") == kind.flags)
        #expect(try named("/api/flags/f/tenants", "flagKey", "tenantId") == kind.overrides)
        #expect(try named("/api/tenants/acme/flags", "flagKey", "tenantId") == kind.overrides)
        #expect(try named("/api/segments", "name") == kind.segments)
        let leftOut = ExportedFile.lines(inField: try server.send("GET", "/api/export").fields["flag-server-left-out"])
        #expect(leftOut.count == kind.flags.count + kind.overrides.count + kind.segments.count, "\(leftOut)")
        #expect(
            try server.send(
                "POST", "/api/emergency/kill-switch", #"{"all":true,"reason":"r","activatedBy":"me"}"#
            ).status == 200)
    }

    @Test("Lists by owner, tag and date name a flag that belongs there, or of which that cannot be told")
    func narrowLists() throws {
        let invalid = Self.flag.merging(["defaultEnabled": "yes"]) { $1 }
        let server = try server(writing: [
            invalid, invalid.merging(["PK": "FLAG#development#g", "owner": 7, "tags": 7, "expiresAt": 7]) { $1 },
        ])
        func named(_ query: String) throws -> [String?] {
            (try server.send("GET", "/api/flags?\(query)").json["invalid"]?.arrayValue ?? []).map {
                $0["flagKey"]?.stringValue
            }
        }
        #expect(try named("owner=ops") == ["f", "g"])
        #expect(try named("owner=web") == ["g"])
        #expect(try named("tag=t") == ["f", "g"])
        #expect(try named("tag=u") == ["g"])
        #expect(try named("expiresBefore=2027-01-01T00:00:00Z") == ["f", "g"])
        #expect(try named("expiresBefore=2026-01-01T00:00:00Z") == ["g"])
    }

    @Test("The uses of a segment are those of the forms that are in force, and keep it from being deleted")
    func uses() throws {
        let server = try server(writing: [
            Self.segment.filter { $0.key != "condition" }.merging(["PK": "SEGMENT#development#other"]) { $1 },
            Self.segment, Self.named, Self.named.merging(["definition": "{"]) { $1 },
            Self.segment.merging(["condition": "{"]) { $1 },
        ])
        #expect(try server.send("GET", "/api/segments/s/uses").json["flags"] == ["f"])
        #expect(try server.send("GET", "/api/segments/other/uses").json["segments"] == ["s"])
        #expect(try server.send("DELETE", "/api/segments/s").code == "segment_used")
    }

    @Test("If-Match cannot match what is not valid; without it a replacement is taken, and deleting works")
    func putRight() throws {
        let server = try server(writing: [
            Self.flag.merging(["owner": 7]) { $1 }, Self.segment.merging(["owner": 7, "condition": "true"]) { $1 },
        ])
        let flag = #"{"description":"d","owner":"ops","defaultEnabled":false}"#
        let segment = #"{"description":"d","owner":"ops"}"#
        for (path, body) in [("/api/flags/f", flag), ("/api/segments/s", segment)] {
            let read = try server.send("GET", path)
            #expect(read.status == 409)
            #expect(read.code == "invalid_item")
            #expect(try server.send("PUT", path, body, [("If-Match", "\"1\"")]).status == 412)
            #expect(try server.send("PATCH", path, #"{"description":"e"}"#).pointers == ["/owner"])
            #expect(try server.send("PUT", path, body).status == 200)
            #expect(try server.send("DELETE", path).status == 204)
        }
    }

    @Test("A change of a flag whose version cannot be raised is no failure", arguments: ["flags", "segments"])
    func version(kind: String) throws {
        let item = kind == "flags" ? Self.flag : Self.segment.filter { $0.key != "condition" }
        let server = try server(writing: [item])
        let path = kind == "flags" ? "/api/flags/f" : "/api/segments/s"
        for version in [AttributeValue.number(.max), "text"] {
            try server.table.store.transactAndWait(
                [.put(table: Profile.local.tableName, item: item.merging(["version": version]) { $1 })],
                principal: .anonymous)
            #expect(try server.send("PATCH", path, #"{"owner":"web"}"#).status == 200)
        }
        let refused = try server.send("PATCH", path, #"{"version":9223372036854775807}"#)
        #expect(refused.status == 400)
        #expect(refused.pointers == ["/version"])
    }

    @Test("A time that UTC has no year for is refused where it is read", arguments: ["9999-12-31T23:59:59-05:00"])
    func times(time: String) throws {
        let server = try RouteServer()
        try server.create("f")
        let override = #"{"enabled":true,"updatedBy":"me","expiresAt":"\#(time)"}"#
        let put = try server.send("PUT", "/api/tenants/acme/flags/f", override)
        #expect(put.status == 400)
        #expect(put.pointers == ["/expiresAt"])
        #expect(try server.send("PATCH", "/api/flags/f", #"{"expiresAt":"\#(time)"}"#).pointers == ["/expiresAt"])
        #expect(try server.send("GET", "/api/flags?expiresBefore=\(time)").pointers == ["?expiresBefore"])
        #expect(try server.send("GET", "/api/flags/f").status == 200)
    }
}
