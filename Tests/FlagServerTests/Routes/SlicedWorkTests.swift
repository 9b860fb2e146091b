import Bytes
import Dispatch
import FlagCache
import FlagCore
import FlagStore
import Glibc
import HTTPTransport
import JSON
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import Evaluation
@testable import FlagServer
@testable import TableEngine

/// Something that happens on the loop in the middle of a bulk answer: when it looks at the clock for the second time.
private final class Middle: Sendable {
    private let state = Locked<(looks: Int, happen: (@Sendable () -> Void)?)>((0, nil))

    /// Has `body` happen in the middle of the next answer.
    func arm(_ body: @escaping @Sendable () -> Void) { state.withLock { $0 = (0, body) } }

    /// Whether it is still to happen.
    var isArmed: Bool { state.withLock { $0.happen != nil } }

    func look() {
        let happen = state.withLock { state -> (@Sendable () -> Void)? in
            state.looks += 1
            guard state.looks == 2 else { return nil }
            defer { state.happen = nil }
            return state.happen
        }
        happen?()
    }
}

@Suite("Evaluations that take more than a slice of the loop's time")
struct SlicedWorkTests {
    /// A server whose slices are over whenever somebody asks: nothing is done in one that can be put off.
    private func hurried(_ middle: Middle = Middle(), cache: CacheLimits? = nil) throws -> RouteServer {
        let readings = Locked<UInt64>(0)
        return try RouteServer { settings in
            settings.evaluation.workClock = {
                middle.look()
                return readings.withLock { readings in
                    readings += 1
                    return readings * 2 * WorkSlice.nanoseconds
                }
            }
            if let cache { settings.evaluation.cacheLimits = cache }
        }
    }

    private func create(_ count: Int, on servers: RouteServer...) throws {
        for server in servers {
            for number in 0..<count { try server.create("flag-\(number)", #""defaultEnabled":true"#) }
        }
    }

    @Test("A bulk answer in slices is the one that is written in one piece, with the same tag, for all who ask at once")
    func bulk() throws {
        let (slow, fast) = (try hurried(), try RouteServer())
        try create(200, on: slow, fast)
        let expected = try fast.bulk(#"{"plan":"pro"}"#)
        let connections = try (0..<4).map { _ in try slow.connect() }
        let request = TestConnection.request("POST", "/ofrep/v1/evaluate/flags", #"{"context":{"plan":"pro"}}"#)
        for connection in connections { try connection.write(Array(request.utf8)) }
        for connection in connections {
            let answer = try connection.readResponse()
            #expect(answer.status == 200)
            #expect(answer.body == expected.body)
            #expect(answer.fields["etag"] == expected.fields["etag"])
        }
        #expect(try slow.bulk(#"{"plan":"pro"}"#, ifNoneMatch: expected.fields["etag"]).status == 304)
    }

    @Test("Bulk answers in slices are written in the order of asking: who asks again waits behind the others")
    func order() throws {
        let middle = Middle()
        let server = try hurried(middle)
        try create(200, on: server)
        #expect(try server.bulk().status == 200)
        let (first, others) = (try server.connect(), try (0..<3).map { _ in try server.connect() })
        for connection in others + [first] { #expect(try connection.send("GET", "/health/live").status == 200) }
        let rounds = 5
        let request = TestConnection.request("POST", "/ofrep/v1/evaluate/flags", "{}")
        let requests = Array(String(repeating: request, count: rounds).utf8)
        // The loop stands still in the middle of the first answer until everybody has asked.
        let (isHeld, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        middle.arm {
            isHeld.signal()
            release.wait()
        }
        try first.write(requests)
        isHeld.wait()
        for other in others { try other.write(requests) }
        release.signal()
        for round in 0..<rounds {
            #expect(try first.readResponse().status == 200)
            // What was sent before lies there already.
            for other in others { #expect(try other.answersThere() >= round) }
        }
    }

    @Test("A bulk answer whose rules read the clock is written in slices and hashed as a whole")
    func hashed() throws {
        let server = try hurried()
        try create(200, on: server)
        try server.create(
            "clock",
            #""variants":{"on":true,"off":false},"defaultVariant":"off","#
                + #""targeting":{"if":[{">":[{"var":"$flagd.timestamp"},1767323046]},"on"]}"#)
        let before = try server.bulk()
        #expect(before.json["flags"]?.arrayValue?.count == 201)
        #expect(try server.bulk(ifNoneMatch: before.fields["etag"]).status == 304)
        server.advance(byMilliseconds: 2_000)
        let after = try server.bulk(ifNoneMatch: before.fields["etag"])
        #expect(after.status == 200)
        #expect(after.body.contains(#""key":"clock","reason":"TARGETING_MATCH","variant":"on""#))
    }

    @Test("An explanation waits for the turn after the one in which its flag was compiled")
    func explained() throws {
        for (server, isPutOff) in [(try hurried(), true), (try RouteServer(), false)] {
            try server.create("flag")
            let body = #"{"tenantId":"acme","flagKey":"flag"}"#
            #expect(try server.send("POST", "/api/evaluate", body).json["reason"] == "default")
            try server.send("PATCH", "/api/flags/flag", #"{"defaultEnabled":false}"#)
            let before = server.composition.server.statistics().map(\.deferredResponses).reduce(0, +)
            let answer = try server.send("POST", "/api/explain", body)
            #expect(answer.json["variant"] == "off")
            #expect(
                server.composition.server.statistics().map(\.deferredResponses).reduce(0, +) - before
                    == (isPutOff ? 1 : 0))
        }
    }

    @Test("A client that leaves in the middle of its answer keeps nobody from theirs")
    func abandoned() throws {
        let middle = Middle()
        let server = try hurried(middle)
        try create(200, on: server)
        #expect(try server.bulk().status == 200)
        let leaving = try server.connect()
        middle.arm { leaving.abort() }
        try leaving.write(Array(TestConnection.request("POST", "/ofrep/v1/evaluate/flags", "{}").utf8))
        while middle.isArmed { usleep(1_000) }
        #expect(try server.bulk().json["flags"]?.arrayValue?.count == 200)
    }

    /// What is written in the middle of a bulk answer, and what is then no longer in any answer.
    static let changes: [(name: String, item: Item, old: String)] = [
        (
            "a kill switch",
            [
                "PK": "EMERGENCY#development", "SK": "GLOBAL", "enabled": .bool(true), "reason": "fire",
                "activatedAt": "2026-01-01T00:00:00.000Z", "activatedBy": "ada",
            ], #""variant":"on""#
        ),
        (
            "a flag that comes first",
            [
                "PK": "FLAG#development#a", "SK": "METADATA", "flagKey": "a", "description": "d", "owner": "o",
                "defaultEnabled": .bool(true), "createdAt": "2026-01-01T00:00:00.000Z",
            ], #"{"flags":[{"key":"flag-0""#
        ),
    ]

    @Test("What changes in the middle of a bulk answer is in all of it", arguments: changes.indices)
    func changed(index: Int) throws {
        let (_, item, old) = SlicedWorkTests.changes[index]
        let middle = Middle()
        let server = try hurried(middle)
        try create(200, on: server)
        #expect(try server.bulk().body.contains(old))
        // The loop takes the change over in its next turn.
        middle.arm { [store = server.table.store] in
            _ = try? store.transactAndWait(
                [.put(table: "feature-flags-local", item: item)], principal: Principal(.anonymous))
        }
        let answer = try server.bulk()
        #expect(!middle.isArmed)
        #expect(answer.status == 200)
        #expect(!answer.body.contains(old))
        #expect(try server.bulk(ifNoneMatch: answer.fields["etag"]).status == 304)
    }

    @Test("An answer is begun anew when what it is made from has changed, and at last written in one piece")
    func beginnings() {
        func state(_ number: UInt64) -> KeyedDigest.Value { KeyedDigest.Value(low: number, high: 0) }
        var body = ByteBuffer()
        let unfinished = UnfinishedResponse(now: RouteServer.start, state: state(0))
        func write() {
            body.reset()
            body.append("12345")
            unfinished.keep(&body, upTo: BulkPosition(index: 64, remainingSteps: 7))
            #expect(body.count == 0)
        }
        for change: UInt64 in 1...3 {
            #expect(unfinished.maySlice)
            write()
            let same = unfinished.take(&body, for: state(change - 1))
            #expect(same.index == 64 && same.remainingSteps == 7 && body.count == 5)
            write()
            let other = unfinished.take(&body, for: state(change))
            #expect(other.index == 0 && other.remainingSteps == EvaluationRun.stepsOfRequest && body.count == 0)
        }
        #expect(!unfinished.maySlice)
    }

    // MARK: - Flags that require many others

    /// Creates a flag `key` that requires 5 others, each of which requires 20, so that it is on when all of them are.
    private func createTree(_ key: String, _ server: RouteServer, environment: String) throws {
        func requiring(_ keys: [String]) -> String {
            let list = keys.map { #"{"flagKey":"\#($0)","variant":"on"}"# }.joined(separator: ",")
            return #""defaultEnabled":true,"requires":[\#(list)]"#
        }
        let branches = (0..<5).map { "\(key).\($0)" }
        for branch in branches {
            let leaves = (0..<20).map { "\(branch).\($0)" }
            for leaf in leaves { try server.create(leaf, environment: environment) }
            try server.create(branch, requiring(leaves), environment: environment)
        }
        try server.create(key, requiring(branches), environment: environment)
    }

    /// The reason of a flag in an answer of any of the routes under `/api`.
    private func reason(_ answer: TestResponse) -> JSONValue? {
        answer.json["reason"] ?? answer.json["flags"]?.arrayValue?.first?["reason"]
    }

    private static func requests(_ key: String) -> [(path: String, body: String)] {
        [
            ("/api/evaluate", #"{"tenantId":"acme","environment":"staging","flagKey":"\#(key)"}"#),
            ("/api/evaluate/batch", #"{"tenantId":"acme","environment":"staging","flagKeys":["\#(key)"]}"#),
            ("/api/explain", #"{"tenantId":"acme","environment":"staging","flagKey":"\#(key)"}"#),
        ]
    }

    @Test(
        "A flag that requires 105 others is answered out of a smaller cache, cold and warm, on every route",
        arguments: [1, 100], ["/api/evaluate", "/api/evaluate/batch", "/api/explain"])
    func requirements(capacity: Int, path: String) throws {
        let server = try RouteServer {
            $0.evaluation.cacheLimits = CacheLimits(capacity: capacity, timeToLiveMilliseconds: 60_000)
        }
        try createTree("tree", server, environment: "staging")
        let body = SlicedWorkTests.requests("tree").first { $0.path == path }?.body
        for _ in 0..<2 {
            let answer = try server.send("POST", path, body)
            #expect(answer.status == 200)
            #expect(reason(answer) == "default")
        }
        try server.send("PATCH", "/api/flags/tree.4?environment=staging", #"{"defaultEnabled":false}"#)
        #expect(reason(try server.send("POST", path, body)) == "prerequisite_failed")
    }

    @Test("The same over OFREP, when all flags of the environment have to be loaded anew")
    func requirementsOverOFREP() throws {
        let timeToLive: UInt32 = 100
        let server = try RouteServer {
            $0.evaluation.cacheLimits = CacheLimits(capacity: 1, timeToLiveMilliseconds: Int64(timeToLive))
        }
        try createTree("tree", server, environment: "development")
        for _ in 0..<3 {
            usleep(timeToLive * 1_000)
            #expect(try server.ofrep("tree").json["reason"] == "STATIC")
        }
    }

    @Test("The same on all routes at once, however little is done in a slice")
    func requirementsAtOnce() throws {
        let server = try hurried(cache: CacheLimits(capacity: 1, timeToLiveMilliseconds: 60_000))
        for tree in 0..<3 { try createTree("tree-\(tree)", server, environment: "staging") }
        let answers = Locked<[TestResponse]>([])
        DispatchQueue.concurrentPerform(iterations: 9) { number in
            let (path, body) = SlicedWorkTests.requests("tree-\(number % 3)")[number / 3]
            guard let answer = try? server.connect().send("POST", path, body) else { return }
            answers.withLock { $0.append(answer) }
        }
        let reasons = answers.withLock { $0.map { "\($0.status) \(reason($0)?.stringValue ?? "")" } }
        #expect(reasons == Array(repeating: "200 default", count: 9))
    }

    @Test("50 flags of one request are found, and 50 that do not exist are not, in a cache of one")
    func batch() throws {
        let server = try RouteServer {
            $0.evaluation.cacheLimits = CacheLimits(capacity: 1, timeToLiveMilliseconds: 60_000)
        }
        for number in 0..<50 { try server.create("flag-\(number)", environment: "staging") }
        for name in ["flag", "gone"] {
            let keys = (0..<50).map { #""\#(name)-\#($0)""# }.joined(separator: ",")
            let body = #"{"tenantId":"acme","environment":"staging","flagKeys":[\#(keys)]}"#
            let answer = try server.send("POST", "/api/evaluate/batch", body)
            let reasons = Set(answer.json["flags"]?.arrayValue?.compactMap { $0["reason"]?.stringValue } ?? [])
            #expect(answer.status == 200)
            #expect(reasons == [name == "flag" ? "default" : "flag_not_found"])
        }
    }
}
