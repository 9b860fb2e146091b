import JSON
import Testing

@testable import FlagServer

@Suite("The entity tag of all flags as time passes")
struct EntityTagTimeTests {
    /// Flags whose answers change with time alone: the server's clock begins at 03:04:05.678.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let flags: [(key: String, rule: String)]
        /// How often the answer changes in the next four hours.
        let changes: Int
    }

    private static func ramp(_ from: String, _ to: String, _ more: String = "") -> String {
        #""defaultEnabled":false,"rollout":{"percentage":100,"startAt":"2026-01-02T\#(from):00Z","#
            + #""endAt":"2026-01-02T\#(to):00Z"}\#(more)"#
    }

    private static func fall(_ from: String, _ to: String) -> String {
        #""defaultEnabled":false,"rollout":{"startPercentage":100,"percentage":0,"startAt":"2026-01-02T\#(from):00Z","#
            + #""endAt":"2026-01-02T\#(to):00Z"}"#
    }

    private static func requires(_ key: String) -> String { #","requires":[{"flagKey":"\#(key)","variant":"on"}]"# }

    static let cases = [
        Case(
            testDescription: "two ramps, one after the other",
            flags: [("early", ramp("03:10", "04:00")), ("late", ramp("04:30", "05:30"))], changes: 2),
        Case(
            testDescription: "two ramps, the later one first by its key",
            flags: [("a", ramp("04:30", "05:30")), ("b", ramp("03:10", "04:00"))], changes: 2),
        Case(
            testDescription: "a flag that requires one on a ramp",
            flags: [("base", ramp("03:10", "04:00")), ("next", #""defaultEnabled":true\#(requires("base"))"#)],
            changes: 1),
        Case(
            testDescription: "a ramp that requires a flag that is on",
            flags: [("base", #""defaultEnabled":true"#), ("next", ramp("03:10", "04:00", requires("base")))],
            changes: 1),
        Case(
            testDescription: "a ramp that requires one on an earlier ramp",
            flags: [("base", ramp("03:10", "03:50")), ("next", ramp("04:00", "05:00", requires("base")))], changes: 2),
        Case(
            testDescription: "a ramp that requires one on a later ramp",
            flags: [("base", ramp("04:00", "05:00")), ("next", ramp("03:10", "03:50", requires("base")))], changes: 1),
        Case(
            testDescription: "a ramp that requires one which falls later",
            flags: [("base", fall("05:00", "06:00")), ("next", ramp("03:10", "04:00", requires("base")))], changes: 2),
        Case(
            testDescription: "a ramp that falls",
            flags: [("less", fall("04:00", "05:00"))], changes: 1),
        Case(
            testDescription: "business hours, whose begin and end are changes",
            flags: [
                (
                    "hours",
                    #""defaultEnabled":false,"rollout":{"percentage":100,"businessHours":{"timeZone":"UTC","#
                        + #""from":"04:00","to":"06:00"}}"#
                )
            ], changes: 2),
        Case(
            testDescription: "dates that pass",
            flags: [
                ("one", #""defaultEnabled":true,"expiresAt":"2026-01-02T04:00:00Z""#),
                ("other", #""defaultEnabled":true,"expiresAt":"2026-01-02T05:00:00.001Z""#),
            ], changes: 2),
        Case(
            testDescription: "a ramp and a date",
            flags: [("both", ramp("03:10", "04:00", #","expiresAt":"2026-01-02T06:00:00Z""#))], changes: 2),
    ]

    /// Lets time pass minute by minute, and compares what a client that asks with its last tag gets with what there is.
    ///
    /// - Returns: how often the answer has changed.
    private func follow(_ server: RouteServer, minutes: Int, _ context: String) throws -> Int {
        var kept = try server.bulk(context)
        var changes = 0
        for minute in 0..<minutes {
            server.advance(byMilliseconds: 60_000)
            let (again, whole) = (try server.bulk(context, ifNoneMatch: kept.fields["etag"]), try server.bulk(context))
            #expect((again.status == 304) == (whole.body == kept.body), "minute \(minute)")
            #expect(again.fields["etag"] == whole.fields["etag"], "minute \(minute)")
            if whole.body == kept.body { continue }
            changes += 1
            kept = whole
        }
        return changes
    }

    @Test("stays as long as the answer stays, and not longer", arguments: cases)
    func time(_ flags: Case) throws {
        let server = try RouteServer()
        for (key, rule) in flags.flags { try server.create(key, rule) }
        try server.create("still")
        #expect(try follow(server, minutes: 240, #"{"targetingKey":"user-1"}"#) == flags.changes)
    }

    @Test("stays over a ramp that a kill switch or an override keeps from doing anything to the tenant")
    func nothingToSee() throws {
        for isKilled in [true, false] {
            let server = try RouteServer()
            try server.create("ramp", Self.ramp("03:10", "04:00"))
            if isKilled {
                let body = #"{"flagKey":"ramp","reason":"r","activatedBy":"ada"}"#
                #expect(try server.send("POST", "/api/emergency/kill-switch", body).status == 200)
            } else {
                let body = #"{"enabled":false,"updatedBy":"ada"}"#
                #expect(try server.send("PUT", "/api/tenants/acme/flags/ramp", body).status == 200)
            }
            let context = #"{"targetingKey":"user-1","tenantId":"acme"}"#
            let before = try server.bulk(context)
            server.advance(byMilliseconds: 3 * 3_600_000)
            // Another tag is allowed; another answer it is not.
            #expect(try server.bulk(context).body == before.body)
        }
    }

    @Test("is another after a date was moved, and when the date that it was moved to passes")
    func movedDate() throws {
        let server = try RouteServer()
        try server.create("dated", #""defaultEnabled":true,"expiresAt":"2026-01-02T06:00:00Z""#)
        let before = try server.bulk()
        #expect(try server.bulk(ifNoneMatch: before.fields["etag"]).status == 304)
        #expect(
            try server.send("PATCH", "/api/flags/dated", #"{"expiresAt":"2026-01-02T03:05:00Z"}"#).status == 200)
        let moved = try server.bulk()
        #expect(moved.fields["etag"] != before.fields["etag"])
        server.advance(byMilliseconds: 54_321)
        #expect(try server.bulk(ifNoneMatch: moved.fields["etag"]).status == 304)
        server.advance(byMilliseconds: 1)
        let passed = try server.bulk(ifNoneMatch: moved.fields["etag"])
        #expect(passed.status == 200 && passed.body.contains(#""stale":true"#))
        // Back into the future, and away.
        for date in [#""2026-01-02T03:06:00Z""#, "null"] {
            #expect(try server.send("PATCH", "/api/flags/dated", #"{"expiresAt":\#(date)}"#).status == 200)
            let again = try server.bulk(ifNoneMatch: passed.fields["etag"])
            #expect(again.status == 200 && !again.body.contains("stale"))
            #expect(try server.bulk(ifNoneMatch: again.fields["etag"]).status == 304)
        }
        server.advance(byMilliseconds: 120_000)
        #expect(try !server.bulk().body.contains("stale"))
    }

    @Test("is another when a condition of a segment reads the clock and answers otherwise")
    func segmentWithClock() throws {
        let server = try RouteServer()
        let condition = { (operation: String) in #""condition":{\#(operation)}"# }
        // 1767324000 is 03:20, 1767327000 is 04:10.
        let (plan, early) = (#""==":[{"var":"plan"},"gold"]"#, #"">=":[{"var":"$flagd.timestamp"},1767324000]"#)
        let late = #"">=":[{"var":"$flagd.timestamp"},1767327000]"#
        let segment = #"{"name":"late","description":"d","owner":"o",\#(condition(plan))}"#
        #expect(try server.send("POST", "/api/segments", segment).status == 201)
        try server.create(
            "timed",
            #""variants":{"on":true,"off":false},"defaultVariant":"off","#
                + #""targeting":{"if":[{"segment":["late"]},"on",null]}"#)
        let context = #"{"targetingKey":"user-1"}"#
        #expect(try follow(server, minutes: 2, context) == 0)
        // One that reads it from now on, one that reads it no more, and one that does so again.
        for (operation, minutes, changes) in [
            (#""==":null,"# + early, 20, 1), (#"">=":null,"# + plan, 2, 0), (#""==":null,"# + late, 45, 1),
        ] {
            #expect(try server.send("PATCH", "/api/segments/late", "{\(condition(operation))}").status == 200)
            #expect(try follow(server, minutes: minutes, context) == changes)
        }
    }
}
