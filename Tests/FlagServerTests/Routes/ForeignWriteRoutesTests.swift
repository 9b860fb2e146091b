import Dispatch
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import DynamoModel
@testable import FlagServer
@testable import FlagStore

@Suite("Flags that were written past the routes")
struct ForeignWriteRoutesTests {
    private static let typed: Item = [
        "PK": "FLAG#development#new-feature", "SK": "METADATA", "flagKey": "new-feature", "description": "d",
        "defaultEnabled": true, "owner": "ops", "createdAt": "2026-01-02T03:04:05Z",
    ]

    /// Stores an item as somebody does who knows the table only, and waits until all that follows has been done.
    private func put(_ item: Item, _ server: RouteServer) throws {
        let table = Profile.local.tableName
        try server.table.store.transactAndWait([.put(table: table, item: item)], principal: .anonymous)
        server.composition.follower.waitUntilIdle()
    }

    @Test("A flag that was typed into the table is served, read, listed, changed and deleted like any other")
    func typed() throws {
        let server = try RouteServer()
        try put(Self.typed, server)
        #expect(try server.ofrep("new-feature").json["value"] == true)
        #expect(try server.bulk().body.contains("new-feature"))
        #expect(try server.send("GET", "/api/flags/new-feature").json["version"] == 1)
        #expect(try server.send("GET", "/api/flags?owner=ops").json["flags"]?.arrayValue?.count == 1)
        #expect(try server.send("PATCH", "/api/flags/new-feature", #"{"owner":"web"}"#).json["version"] == 2)
        #expect(try server.send("DELETE", "/api/flags/new-feature").status == 204)
    }

    @Test("Of a table that takes another's place all items are looked at, though no change tells of them")
    func replacedTable() throws {
        let server = try RouteServer()
        let (store, name) = (server.table.store, Profile.local.tableName)
        try store.createTable(FlagTable.schema(named: "elsewhere"))
        try store.transactAndWait([.put(table: "elsewhere", item: Self.typed)], principal: .anonymous)
        let backup = try store.createBackup(of: "elsewhere", name: "b")
        let (done, failure) = (DispatchSemaphore(value: 0), Locked<TableError?>(nil))
        _ = try store.restore(backup: backup.id, to: name, replacing: true, adjust: { $0 }) { result in
            if case .failure(let error) = result { failure.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        #expect(failure.withLock { $0 } == nil)
        server.composition.feed.noticeReplacedTable()
        server.composition.follower.waitUntilIdle()
        let item = try store.getItem(table: name, key: TableKey("FLAG#development#new-feature", "METADATA"))
        #expect(item?["version"] == 1 && item?["environment"] == "development")
        #expect(try server.send("GET", "/api/flags?owner=ops").json["flags"]?.arrayValue?.count == 1)
    }

    @Test("A form that is not valid is not served: the metric counts it, the history says why, a replacement is taken")
    func invalid() throws {
        let server = try RouteServer()
        try put(Self.typed, server)
        try put(Self.typed.merging(["defaultEnabled": "false"]) { $1 }, server)
        #expect(try server.ofrep("new-feature").json["value"] == true)
        #expect(try server.bulk().body.contains(#""key":"new-feature","reason":"STATIC""#))
        let metrics = try server.send("GET", "/metrics").body
        #expect(metrics.contains("flag_server_invalid_items_total 1\n"))
        #expect(metrics.contains("flag_server_flags_in_last_valid_form 1\n"))
        #expect(metrics.contains("flag_server_items_corrected_total 1\n"))
        let history = try server.send("GET", "/api/flags/new-feature/history").json["history"]?.arrayValue ?? []
        #expect(history.map { $0["change"]?.stringValue } == ["refused", "created"])
        #expect(history.first?["issues"]?.arrayValue?.first?["pointer"] == "/defaultEnabled")
        #expect(try server.send("GET", "/api/flags/new-feature").code == "invalid_item")
        for path in ["/api/flags", "/api/flags?owner=ops"] {
            let invalid = try server.send("GET", path).json["invalid"]?.arrayValue ?? []
            #expect(invalid.map { $0["flagKey"]?.stringValue } == ["new-feature"])
            #expect(invalid.first?["errors"]?.arrayValue?.first?["pointer"] == "/defaultEnabled")
        }
        #expect(try server.send("GET", "/api/flags?owner=other").json["invalid"] == nil)
        #expect(try server.send("GET", "/api/flags?tag=t").json["invalid"] == nil)
        let replaced = try server.send(
            "PUT", "/api/flags/new-feature", #"{"description":"d","owner":"ops","defaultEnabled":false}"#)
        #expect(replaced.status == 200)
        #expect(try server.ofrep("new-feature").json["value"] == false)
        #expect(try server.send("GET", "/api/flags").json["invalid"] == nil)
    }
}
