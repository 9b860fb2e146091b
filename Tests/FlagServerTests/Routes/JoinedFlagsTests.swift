import Access
import FlagCore
import JSON
import Testing

@testable import FlagServer

/// In the list of all flags the texts of flags beside each other are joined, some 60 at a time. Whatever becomes of one
/// of them, the list must say of each what it answers alone.
@Suite("All flags at once, joined")
struct JoinedFlagsTests {
    /// Enough for three times as many as are joined at once, the last of them not full.
    private static let count = 150

    /// Flags of each kind beside each other.
    private static let rules = [
        #""defaultEnabled":true"#,
        #""defaultEnabled":false,"clientSide":true"#,
        #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"var":"plan"},"on"]}"#,
        #""variants":{"a":1,"b":2},"defaultVariant":"a","targeting":{"var":"name"},"clientSide":true"#,
        #""variants":{"a":1,"b":2},"targeting":{"if":[{"var":"plan"},"b"]}"#,
        #""defaultEnabled":false,"rollout":{"percentage":50},"clientSide":true"#,
        #""state":"DISABLED","variants":{"on":true},"defaultVariant":"on""#,
        #""variants":{"a":"\#(String(repeating: "long ", count: 80))"},"defaultVariant":"a","clientSide":true"#,
        #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"var":"plan"},"on"]},"#
            + #""metadata":{"m":"\#(String(repeating: "long ", count: 80))"}"#,
        #""defaultEnabled":true,"rollout":{"percentage":50},"expiresAt":"2020-01-01T00:00:00Z""#,
        #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"segment":["s"]},"on"]}"#,
    ]

    private static let segment =
        #"{"name":"s","description":"D","owner":"x","condition":{"==":[{"var":"plan"},"pro"]}}"#

    private static let contexts = [
        "{}", #"{"targetingKey":"u-1","plan":"pro","name":"b"}"#, #"{"targetingKey":"u-2","name":"neither"}"#,
        #"{"targetingKey":"u-1","plan":"pro","name":"b","tenantId":"acme"}"#,
    ]

    private static func key(_ number: Int) -> String { "f-\(1000 + number)" }

    /// A server with the flags, and what it has.
    private func server() throws -> (RouteServer, Set<String>) {
        let server = try RouteServer()
        #expect(try server.send("POST", "/api/segments", Self.segment).status == 201)
        for number in 0..<Self.count {
            // Each kind also stands beside itself, three times.
            try server.create(Self.key(number), Self.rules[number / 3 % Self.rules.count])
        }
        return (server, Set((0..<Self.count).map(Self.key)))
    }

    /// Whether the list says of each flag what it answers alone.
    private func compare(_ server: RouteServer, _ keys: Set<String>, after change: String) throws {
        for context in Self.contexts {
            let all = try #require(try server.bulk(context).json["flags"]?.arrayValue)
            #expect(all.compactMap { $0["key"]?.stringValue } == keys.sorted(), "\(change) \(context)")
            for flag in all {
                let key = try #require(flag["key"]?.stringValue)
                #expect(try flag == server.ofrep(key, context).json, "\(change) \(context)")
            }
        }
    }

    private static let killed = #"{"flagKey":"f-1067","reason":"r","activatedBy":"ada"}"#
    private static let all = #"{"all":true,"reason":"r","activatedBy":"ada"}"#

    /// What happens to flags, one after the other.
    private static let changes: [(method: String, path: String, body: String?, appears: String?, goes: String?)] = [
        ("PATCH", "/api/flags/f-1000", #"{"defaultEnabled":false}"#, nil, nil),
        ("PATCH", "/api/flags/f-1066", #"{"defaultEnabled":false,"rollout":{"percentage":100}}"#, nil, nil),
        ("PATCH", "/api/flags/f-1149", #"{"expiresAt":"2020-01-01T00:00:00Z"}"#, nil, nil),
        ("POST", "/api/emergency/kill-switch", killed, nil, nil),
        ("DELETE", "/api/emergency/kill-switch", #"{"flagKey":"f-1067","deactivatedBy":"ada"}"#, nil, nil),
        ("PUT", "/api/tenants/acme/flags/f-1001", #"{"enabled":false,"updatedBy":"ada"}"#, nil, nil),
        ("DELETE", "/api/tenants/acme/flags/f-1001", nil, nil, nil),
        ("DELETE", "/api/flags/f-1070", nil, nil, "f-1070"),
        (
            "POST", "/api/flags", #"{"flagKey":"f-1063a","description":"D","owner":"x","defaultEnabled":true}"#,
            "f-1063a", nil
        ),
        ("POST", "/api/flags", #"{"flagKey":"a","description":"D","owner":"x","defaultEnabled":true}"#, "a", nil),
        ("DELETE", "/api/flags/a", nil, nil, "a"),
        ("POST", "/api/emergency/kill-switch", all, nil, nil),
        ("DELETE", "/api/emergency/kill-switch", #"{"all":true,"deactivatedBy":"ada"}"#, nil, nil),
    ]

    @Test("The list says of each flag what it answers alone, before and after each change of one or of all")
    func changes() throws {
        var (server, keys) = try server()
        try compare(server, keys, after: "nothing")
        for change in Self.changes {
            let name = "\(change.method) \(change.path)"
            let status = try server.send(change.method, change.path, change.body).status
            #expect((200...204).contains(status), "\(name)")
            if let key = change.appears { keys.insert(key) }
            if let key = change.goes { keys.remove(key) }
            try compare(server, keys, after: name)
        }
    }

    @Test("Evaluations in a list are counted as those of flags alone: all of them, by their reasons")
    func counted() throws {
        let (server, keys) = try server()
        func counts() throws -> [String: Int] {
            var counts: [String: Int] = [:]
            for line in try server.send("GET", "/metrics").body.split(separator: "\n")
            where line.hasPrefix(#"flag_server_evaluations_total{interface="ofrep""#) {
                let parts = line.split(separator: " ")
                counts[String(parts[0])] = Int(parts[1])
            }
            return counts
        }
        let context = Self.contexts[1]
        let first = try counts()
        _ = try server.bulk(context)
        let second = try counts()
        for key in keys { _ = try server.ofrep(key, context) }
        let third = try counts()
        let together = second.mapValues { $0 }.merging(first) { $0 - $1 }
        #expect(together == third.merging(second) { $0 - $1 })
        #expect(together.values.reduce(0, +) == keys.count)
    }

    @Test("A key in a browser gets the flags that are for it, and what they answer")
    func clientSide() throws {
        let server = try RouteServer(requiresAuthentication: true)
        let admin = try server.makeKey(.admin, roles: [.admin])
        let own = try server.makeKey(.server, environment: .development)
        let browser = try server.makeKey(.client, environment: .development)
        func send(_ key: String, _ method: String, _ path: String, _ body: String) throws -> TestResponse {
            try server.send(method, path, body, [("X-API-Key", key)])
        }
        #expect(try send(admin, "POST", "/api/segments", Self.segment).status == 201)
        for number in 0..<Self.count {
            let body = #"{"flagKey":"\#(Self.key(number))","description":"D","owner":"x","#
            let rule = Self.rules[number / 3 % Self.rules.count]
            let state = rule.contains("\"variants\"") && !rule.contains("\"state\"") ? #""state":"ENABLED","# : ""
            #expect(try send(admin, "POST", "/api/flags", "\(body)\(state)\(rule)}").status == 201)
        }
        func flags(_ key: String) throws -> [JSONValue] {
            let body = #"{"context":\#(Self.contexts[1])}"#
            return try send(key, "POST", "/ofrep/v1/evaluate/flags", body).json["flags"]?.arrayValue ?? []
        }
        func compare(_ count: Int) throws {
            let all = try flags(own)
            #expect(all.count == Self.count)
            let seen = try flags(browser)
            #expect(seen.count == count)
            #expect(seen == all.filter { $0["metadata"]?["clientSide"] == true })
        }
        let count = (0..<Self.count).count { Self.rules[$0 / 3 % Self.rules.count].contains("clientSide") }
        try compare(count)
        #expect(try send(admin, "PATCH", "/api/flags/f-1000", #"{"clientSide":true}"#).status == 200)
        try compare(count + 1)
        #expect(try send(admin, "PATCH", "/api/flags/f-1003", #"{"clientSide":null}"#).status == 200)
        try compare(count)
    }

    @Test("Lists that are asked for in a row with other things on one connection arrive whole and in order")
    func inARow() throws {
        let (server, _) = try server()
        let context = Self.contexts[1]
        let (list, flag) = (try server.bulk(context).body, try server.ofrep("f-1000", context).body)
        let body = #"{"context":\#(context)}"#
        let requests = [
            ("/ofrep/v1/evaluate/flags/f-1000", flag), ("/ofrep/v1/evaluate/flags", list),
            ("/ofrep/v1/evaluate/flags", list), ("/ofrep/v1/evaluate/flags/f-1000", flag),
        ]
        let connection = try server.connect()
        for _ in 0..<3 {
            try connection.write(requests.flatMap { TestConnection.request("POST", $0.0, body).utf8 })
            for (path, expected) in requests {
                let response = try connection.readResponse()
                #expect(response.status == 200 && response.body == expected, "\(path)")
            }
        }
    }
}
