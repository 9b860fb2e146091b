import Foundation
import JSON
import TestSupport
import Testing

@testable import FlagServer

@Suite("Routes of backups")
struct BackupRoutesTests {
    private let directory: TemporaryDirectory
    private let server: RouteServer

    init() throws {
        directory = try TemporaryDirectory()
        server = try RouteServer(directory: directory.path)
    }

    private func backup(_ body: String = #"{"name":"before"}"#) throws -> JSONValue {
        let answer = try server.send("POST", "/api/backups", body)
        #expect(answer.status == 201, "\(answer.body)")
        #expect(answer.fields["location"] == "/api/backups/\(answer.json["id"]?.stringValue ?? "")")
        return answer.json
    }

    @Test("A backup is made, listed, read and deleted")
    func life() throws {
        try server.create("a")
        let made = try backup()
        #expect(made["name"] == "before" && made["status"] == "available" && made["kind"] == "user")
        #expect(made["table"] == "feature-flags-local")
        #expect(try server.send("GET", "/api/backups").json["backups"] == [made])
        #expect(try server.send("GET", "/api/backups?table=other").json["backups"] == [])
        let id = try #require(made["id"]?.stringValue)
        #expect(try server.send("GET", "/api/backups/\(id)").json == made)
        let deleted = try server.send("DELETE", "/api/backups/\(id)")
        #expect(deleted.status == 200 && deleted.json == made)
        #expect(try server.send("GET", "/api/backups").json["backups"] == [])
    }

    @Test("A table is restored beside the one it is of, or in its place, and is served at once")
    func restored() throws {
        try server.create("a")
        let id = try #require(try backup()["id"]?.stringValue)
        #expect(try server.send("DELETE", "/api/flags/a").status == 204)
        let taken = try server.send("POST", "/api/restore", #"{"backup":"\#(id)"}"#)
        #expect(taken.status == 409 && taken.code == "table_exists")
        let beside = try server.send("POST", "/api/restore", #"{"backup":"\#(id)","target":"copy"}"#)
        #expect(beside.status == 200 && beside.json["table"] == "copy")
        let replaced = try server.send("POST", "/api/restore", #"{"backup":"\#(id)","replace":true}"#)
        #expect(replaced.json["table"] == "feature-flags-local")
        try waitUntil { (try? server.send("GET", "/api/flags/a").status) == 200 }
        // What was replaced is kept.
        try waitUntil {
            (try? server.send("GET", "/api/backups").json["backups"]?.arrayValue?.last?["kind"]) == "system"
        }
    }

    @Test("Continuous backups are turned on, told of, restored from and turned off")
    func continuous() throws {
        let off = try server.send("POST", "/api/restore", #"{"time":"latest","replace":true}"#)
        #expect(off.status == 409 && off.code == "continuous_backups_off")
        let on = try server.send("PUT", "/api/continuous-backups", #"{"days":7}"#)
        #expect(on.json["enabled"] == true && on.json["days"] == 7)
        try server.create("a")
        let told = try server.send("GET", "/api/continuous-backups").json["continuousBackups"]?.arrayValue
        #expect(told?.first?["table"] == "feature-flags-local" && told?.first?["enabled"] == true)
        let restored = try server.send("POST", "/api/restore", #"{"time":"latest","target":"copy"}"#)
        #expect(restored.status == 200, "\(restored.body)")
        let early = try server.send("POST", "/api/restore", #"{"time":"2001-01-01T00:00:00Z","target":"early"}"#)
        #expect(early.status == 400 && early.code == "invalid_restore_time")
        let ended = try server.send("DELETE", "/api/continuous-backups?table=feature-flags-local")
        #expect(ended.status == 200 && ended.json["enabled"] == false)
    }

    @Test("Everything that is stored is checked")
    func verified() throws {
        try server.create("a")
        let report = try server.send("POST", "/api/verify")
        #expect(report.status == 200 && report.json["problems"] == [])
        #expect(report.json["items"]?.numberValue?.int64 ?? 0 > 0)
    }

    @Test(
        "What cannot be done says so by a name of its own",
        arguments: [
            ("GET", "/api/backups/none", nil, 404, "backup_not_found"),
            ("DELETE", "/api/backups/none", nil, 404, "backup_not_found"),
            ("POST", "/api/backups", #"{"name":"x"}"#, 400, "invalid_body"),
            ("POST", "/api/backups", "[]", 400, "invalid_body"), ("POST", "/api/backups", nil, 400, "invalid_json"),
            ("POST", "/api/backups", #"{"table":"none"}"#, 404, "table_not_found"),
            ("POST", "/api/restore", "{}", 400, "invalid_body"),
            ("POST", "/api/restore", #"{"backup":"none"}"#, 404, "backup_not_found"),
            ("GET", "/api/continuous-backups?table=none", nil, 404, "table_not_found"),
            ("PUT", "/api/continuous-backups", #"{"days":36}"#, 400, "invalid_body"),
            ("PUT", "/api/continuous-backups", #"{"days":9223372036854775807}"#, 400, "invalid_body"),
        ] as [(String, String, String?, Int, String)])
    func refusals(method: String, path: String, body: String?, status: Int, code: String) throws {
        let answer = try server.send(method, path, body)
        #expect(answer.status == status && answer.code == code, "\(answer.body)")
    }

    @Test("A file of the server's machine is nothing that somebody on the network may name")
    func files() throws {
        let made = try backup()
        let file = "\(directory.path)/backups/\(made["id"]?.stringValue ?? "").backup"
        #expect(FileManager.default.fileExists(atPath: file))
        for path in [file, "/etc/shadow", "/nowhere"] {
            let answer = try server.send("POST", "/api/restore", #"{"file":"\#(path)","target":"copy"}"#)
            #expect(answer.status == 403 && answer.code == "forbidden")
        }
    }
}
