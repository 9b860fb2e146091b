import Bytes
import Dispatch
import DynamoModel
import DynamoService
import HTTPTransport
import JSON
import Logging
import Platform
import TableEngine
import Testing

@testable import FlagServer

@Suite("What the answers on the DynamoDB port have, and what is told of the requests")
struct DynamoResponderTests {
    @Test(
        "The checksum of what was sent, compressed by nobody, whoever answers: the loop, the writer or a worker",
        arguments: ["GetItem", "PutItem", "Scan", "Nothing"])
    func checksum(operation: String) throws {
        let server = try DynamoServer()
        try server.put("a")
        let key = #""Key":{"id":{"S":"a"}}"#
        let item = #""Item":{"id":{"S":"a"}},"ReturnValues":"ALL_OLD""#
        let body = #"{"TableName":"things",\#(operation == "GetItem" ? key : item)}"#
        let answer = try server.call(operation, body, [("Accept-Encoding", "gzip")])
        #expect(!answer.body.isEmpty)
        #expect(answer.fields["content-encoding"] == nil)
        #expect(answer.fields["x-amz-crc32"] == "\(Checksum.crc32(Array(answer.body.utf8)))")
        #expect(answer.fields["x-amzn-requestid"]?.count == 52)
    }

    @Test("An answer that a browser would compress stays as it is, however large")
    func large() throws {
        let server = try DynamoServer()
        let text = String(repeating: "x", count: 20_000)
        let item = #"{"id":{"S":"a"},"text":{"S":"\#(text)"}}"#
        #expect(try server.call("PutItem", #"{"TableName":"things","Item":\#(item)}"#).status == 200)
        let answer = try server.get("a", [("Accept-Encoding", "gzip"), ("Content-Type", "application/json")])
        #expect(answer.fields["content-encoding"] == nil)
        #expect(answer.body.count > 20_000)
        #expect(answer.fields["x-amz-crc32"] == "\(Checksum.crc32(Array(answer.body.utf8)))")
    }

    @Test("Requests of up to 16 MB are taken, and a larger one is refused before its content")
    func size() throws {
        let server = try DynamoServer()
        let connection = try server.connect()
        let padding = String(repeating: " ", count: 2 << 20)
        let body = #"{"TableName":"things"}"# + padding
        #expect(try server.call("Scan", body).status == 200)
        let head =
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n"
            + "Content-Length: \(16 << 20 + 1)\r\n\r\n"
        try connection.write(Array(head.utf8))
        let answer = try connection.readResponse()
        #expect(answer.status == 413)
        #expect(answer.errorType == "RequestTooLargeException")
        let nonsense = try server.connect()
        try nonsense.write(Array("NONSENSE\r\n\r\n".utf8))
        #expect(try nonsense.readResponse().errorType == "MalformedException")
    }

    @Test("While all workers wait and as much as may wait, who comes is asked to come again; reads of items go on")
    func busy() throws {
        let server = try DynamoServer()
        try server.put("a")
        let gate = WorkerGate(server.endpoint.workers)
        defer { gate.open() }
        let answer = try server.call("Scan", #"{"TableName":"things"}"#)
        #expect(answer.status == 400)
        #expect(answer.errorType == "ThrottlingException")
        #expect(try server.get("a").status == 200)
    }

    @Test("A large request is parsed by a worker, and not on the loop")
    func largeRequest() throws {
        let server = try DynamoServer()
        let padding = String(repeating: " ", count: 40_000)
        let gate = WorkerGate(server.endpoint.workers)
        defer { gate.open() }
        let body = #"{"TableName":"things","Key":{"id":{"S":"a"}}}"#
        #expect(try server.call("GetItem", body).status == 200)
        #expect(try server.call("GetItem", body + padding).status == 400)
    }

    @Test("A kill switch overtakes the writes that wait")
    func killSwitch() throws {
        let server = try DynamoServer()
        let connections = try (0..<4).map { _ in try server.connect() }
        // Each has been handed to the loop, which takes what they say from here on in the order they say it.
        for connection in connections { #expect(try connection.send("GET", "/").status == 200) }
        let (isHeld, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        server.store.subscribe { _ in
            isHeld.signal()
            gate.wait()
            gate.signal()
        }
        func write(_ body: String, to connection: TestConnection, _ operation: String = "PutItem") throws {
            let fields = [("X-Amz-Target", "DynamoDB_20120810.\(operation)"), ("Content-Type", "application/json")]
            try connection.write(Array(TestConnection.request("POST", "/", body, fields).utf8))
        }
        try write(#"{"TableName":"things","Item":{"id":{"S":"first"}}}"#, to: connections[0])
        isHeld.wait()
        try write(#"{"TableName":"things","Item":{"id":{"S":"usual"}}}"#, to: connections[1])
        let killSwitch = #"{"PK":{"S":"EMERGENCY#development"},"SK":{"S":"FLAG#f"}}"#
        try write(#"{"TableName":"\#(DynamoServer.flags)","Item":\#(killSwitch)}"#, to: connections[2])
        // A read is answered on the loop: so both wait for the writer by now.
        try write(#"{"TableName":"things","Key":{"id":{"S":"first"}}}"#, to: connections[3], "GetItem")
        #expect(try connections[3].readResponse().status == 200)
        gate.signal()
        for connection in connections.prefix(3) { #expect(try connection.readResponse().status == 200) }
        let tables = try server.store.changes(after: 0, limit: 10).map(\.table)
        #expect(tables == ["things", DynamoServer.flags, "things"])
    }

    @Test("A restore that goes on behind its answer is listed as work until it ends")
    func restore() throws {
        let server = try DynamoServer()
        try server.put("a")
        let backup = try server.call("CreateBackup", #"{"TableName":"things","BackupName":"first"}"#)
        let arn = try #require(backup.json["BackupDetails"]?["BackupArn"]?.stringValue)
        let body = #"{"TargetTableName":"copy","BackupArn":"\#(arn)"}"#
        #expect(try server.call("RestoreTableFromBackup", body).status == 200)
        #expect(server.hasEnded.wait(timeout: .now() + 20) == .success)
        #expect(server.ended.withLock { $0 } == ["restore of copy"])
    }

    @Test("A call has the time of this port, and is told when that is over; what it has begun is done all the same")
    func handlerTime() throws {
        var port = ServerConfiguration.DynamoDB()
        port.handler = .milliseconds(100)
        let server = try DynamoServer(port: port)
        let (isHeld, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        DispatchQueue(label: "who holds the writer").async { [store = server.store] in
            try? store.updateTable("things") { (schema) throws(TableError) in
                isHeld.signal()
                release.wait()
                return schema
            }
        }
        isHeld.wait()
        defer { release.signal() }
        let answer = try server.put("late")
        #expect(answer.status == 503)
        #expect(answer.json["__type"] == "com.amazon.coral.service#ServiceUnavailable")
        release.signal()
        // It waits behind that one.
        try server.store.transactAndWait([.put(table: "things", item: ["id": "next"])], principal: .anonymous)
        #expect(try server.store.getItem(table: "things", key: TableKey("late")) != nil)
    }

    @Test("What changes tables or flags is logged with how it ended; items of other tables are their clients' own")
    func changes() throws {
        let server = try DynamoServer()
        let flag = #"{"PK":{"S":"FLAG#development#f"},"SK":{"S":"METADATA"}}"#
        try server.put(DynamoServer.flags)
        #expect(server.log.lines.isEmpty)
        _ = try server.call("PutItem", #"{"TableName":"\#(DynamoServer.flags)","Item":\#(flag)}"#)
        _ = try server.call("DeleteTable", #"{"TableName":"things"}"#)
        _ = try server.call("DeleteTable", #"{"TableName":"things"}"#)
        let lines = server.log.lines
        #expect(lines.map(\.message) == ["change", "change", "change"])
        #expect(lines.map { $0.metadata["operation"] } == ["PutItem", "DeleteTable", "DeleteTable"])
        #expect(lines.map { $0.metadata["table"] } == [DynamoServer.flags, "things", "things"])
        #expect(lines.map(\.level) == [.notice, .notice, .info])
        #expect(lines.map { $0.metadata["status"] } == ["200", "200", "400"])
    }

    @Test(
        "A change is a warning when it failed for no fault of its sender",
        arguments: [(200, Logger.Level.notice), (400, .info), (500, .warning), (503, .warning)])
    func level(status: Int, level: Logger.Level) throws {
        let log = RecordedLog()
        let client = try #require(PeerAddress("203.0.113.9"))
        let body = Array(#"{"TableName":"things"}"#.utf8)
        let change = try #require(
            body.withUnsafeBytes {
                DynamoChange(.deleteTable, body: $0, flagTable: nil, by: .anonymous, from: client)
            })
        change.report(UInt16(status), to: Logger(label: "test") { _ in log.handler })
        #expect(log.lines.map(\.level) == [level])
    }
}
