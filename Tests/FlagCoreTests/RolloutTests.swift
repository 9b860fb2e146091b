import JSON
import Testing

@testable import FlagCore

@Suite("Rollouts")
struct RolloutTests {
    private static let start = Timestamp(millisecondsSinceEpoch: 1_780_000_000_000)
    private static let end = Timestamp(millisecondsSinceEpoch: 1_780_000_360_000)

    @Test("let in as many as they say, within a hundredth of all, and who is in stays in when more are let in")
    func uniform() throws {
        // The hash alone, as an evaluation takes it: a million evaluations would take a debug build too long.
        var places: [Int64] = []
        for number in 0..<1_000_000 {
            let hash = Array("user-\(number)".utf8).withUnsafeBytes { key in
                var cbor = CanonicalCBOR()
                cbor.encodeHead(major: 4, 2)
                Array("flag".utf8).withUnsafeBytes { cbor.encode(text: $0) }
                cbor.encode(text: key)
                return cbor.hasher.finalized()
            }
            places.append(Int64((UInt64(hash) * UInt64(Rollout.places)) >> 32))
        }
        var last = 0
        for percentage in [0.0, 0.01, 1, 10, 12.34, 20, 50, 99.99, 100] {
            let threshold = try rollout(["percentage": .number(JSONNumber(percentage)!)]).threshold(at: Self.start)
            let count = places.reduce(0) { $0 + ($1 < threshold ? 1 : 0) }
            #expect(abs(Double(count) / 10_000 - percentage) < 1)
            #expect(count >= last)
            last = count
        }
        #expect(last == 1_000_000)
    }

    @Test("put the same people in as fractional does with the same weights, in both versions")
    func sameBuckets() throws {
        for version in [FractionalVersion.v2, .v3] {
            let simple = try flag(["percentage": 12.34], version)
            let full = CompiledFlag(
                key: "flag",
                definition: FlagDefinition(keeping: [
                    "state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off",
                    "targeting": ["fractional": [["on", 1234], ["off", 8766]]],
                ]), fractional: version)
            for number in 0..<2_000 {
                let context: JSONValue = ["targetingKey": .string("user-\(number)")]
                let answer = evaluate(simple, context, Self.start)
                #expect(answer.variant == evaluate(full, context, Self.start).variant)
                #expect(answer.reason == .split)
            }
        }
    }

    @Test("without a targeting key, or for others than they are meant for, are the default")
    func audience() throws {
        let regional = try flag(["percentage": 100, "regions": ["eu", "uk"], "cohorts": ["beta"]])
        let off = Evaluation(variant: 1, reason: .default)
        let on = Evaluation(variant: 0, reason: .split)
        let cases: [(JSONValue, Evaluation)] = [
            (["targetingKey": "u", "region": "eu", "cohort": "beta"], on),
            (["targetingKey": "u", "region": "uk", "cohorts": ["alpha", "beta"]], on),
            (["targetingKey": "u", "region": "us", "cohort": "beta"], off),
            (["targetingKey": "u", "region": "eu"], off),
            (["targetingKey": "u", "region": "eu", "cohorts": ["alpha"]], off),
            (["targetingKey": "", "region": "eu", "cohort": "beta"], off),
            (["region": "eu", "cohort": "beta"], off),
        ]
        for (context, expected) in cases { #expect(evaluate(regional, context, Self.start) == expected) }
    }

    @Test("go up in a straight line from start to end")
    func ramp() throws {
        let ramp = try rollout([
            "percentage": 50, "startPercentage": 10, "startAt": .string(Self.start.rfc3339),
            "endAt": .string(Self.end.rfc3339),
        ])
        let expected: [(Int64, Int64)] = [
            (-1, 1_000), (0, 1_000), (90_000, 2_000), (180_000, 3_000), (359_999, 4_999),
            (360_000, 5_000), (1_000_000, 5_000),
        ]
        for (milliseconds, places) in expected { #expect(ramp.threshold(at: Self.start + milliseconds) == places) }
    }

    @Test(
        "say exactly when the answer for somebody changes next, up and down",
        arguments: [(0.0, 100.0), (10, 12.34), (90, 5), (100, 0)])
    func nextChange(from: Double, to: Double) throws {
        let json: JSONValue = [
            "percentage": .number(JSONNumber(to)!), "startPercentage": .number(JSONNumber(from)!),
            "startAt": .string(Self.start.rfc3339), "endAt": .string(Self.end.rfc3339),
        ]
        let flag = try flag(json)
        var changes = 0
        for number in 0..<300 {
            let context: JSONValue = ["targetingKey": .string("user-\(number)")]
            let before = evaluate(flag, context, Self.start + -1_000)
            guard let change = before.validUntil else {
                let later = evaluate(flag, context, Self.end + 1_000)
                #expect(later.variant == before.variant)
                continue
            }
            changes += 1
            #expect(change >= Self.start && change <= Self.end)
            #expect(evaluate(flag, context, change + -1).variant == before.variant)
            let after = evaluate(flag, context, change)
            #expect(after.variant != before.variant)
            #expect(after.validUntil == nil)
        }
        #expect(changes > 0)
    }

    @Test("begin at once when they have no end")
    func step() throws {
        let flag = try flag(["percentage": 100, "startAt": .string(Self.start.rfc3339)])
        let before = evaluate(flag, ["targetingKey": "u"], Self.start + -1)
        #expect(before.variant == 1)
        #expect(before.validUntil == Self.start)
        #expect(evaluate(flag, ["targetingKey": "u"], Self.start).variant == 0)
    }

    @Test("keep business hours by the clocks of their time zone, also when these are changed")
    func businessHours() throws {
        guard let berlin = TimeZoneRulesTests.rules("Europe/Berlin") else { return }
        let hours: JSONValue = [
            "timeZone": "Europe/Berlin", "days": ["mon", "Friday"], "from": "09:00", "to": "17:00",
        ]
        let flag = try flag(["percentage": 100, "businessHours": hours], zone: berlin)
        // Friday before and Monday after the clocks go forward on 2026-03-29.
        let cases = [
            ("2026-03-27T07:59:59.999Z", false, "2026-03-27T08:00:00.000Z"),
            ("2026-03-27T08:00:00Z", true, "2026-03-27T16:00:00.000Z"),
            ("2026-03-27T16:00:00Z", false, "2026-03-30T07:00:00.000Z"),
            ("2026-03-28T12:00:00Z", false, "2026-03-30T07:00:00.000Z"),
            ("2026-03-30T07:00:00Z", true, "2026-03-30T15:00:00.000Z"),
        ]
        for (now, isOpen, change) in cases {
            let answer = evaluate(flag, ["targetingKey": "u"], try #require(Timestamp(rfc3339: now)))
            #expect(answer.variant == (isOpen ? 0 : 1), "\(now)")
            #expect(answer.validUntil?.rfc3339 == change, "\(now)")
        }
    }

    @Test("open, where the clocks skip the time at which they would, when the clocks are changed")
    func skippedHours() throws {
        guard let berlin = TimeZoneRulesTests.rules("Europe/Berlin") else { return }
        let hours: JSONValue = ["timeZone": "Europe/Berlin", "days": ["sun"], "from": "02:30", "to": "10:00"]
        let flag = try flag(["percentage": 100, "businessHours": hours], zone: berlin)
        let before = evaluate(flag, ["targetingKey": "u"], try #require(Timestamp(rfc3339: "2026-03-29T00:59:59Z")))
        #expect(before.variant == 1)
        #expect(before.validUntil?.rfc3339 == "2026-03-29T01:00:00.000Z")
    }

    @Test("of business hours alone follow the clock, and so do those that change; others do not")
    func clock() throws {
        let hours: JSONValue = ["timeZone": "UTC", "from": "09:00", "to": "17:00"]
        let start = JSONValue.string(Self.start.rfc3339)
        #expect(try flag(["percentage": 10, "businessHours": hours]).followsClock)
        #expect(try flag(["percentage": 10, "startAt": start]).followsClock)
        #expect(try !flag(["percentage": 10, "startPercentage": 10, "startAt": start]).followsClock)
        #expect(try !flag(["percentage": 10]).followsClock)
    }

    @Test("know the days of the week before 1970")
    func before1970() throws {
        let hours: JSONValue = ["timeZone": "UTC", "days": ["sun"], "from": "00:00", "to": "24:00"]
        let flag = try flag(["percentage": 100, "businessHours": hours])
        for (day, isSunday) in [("1969-12-27", false), ("1969-12-28", true), ("1969-12-29", false)] {
            let noon = try #require(Timestamp(rfc3339: "\(day)T12:00:00Z"))
            #expect(evaluate(flag, ["targetingKey": "u"], noon).variant == (isSunday ? 0 : 1), "\(day)")
        }
    }

    @Test("keep hours that go on past midnight, and such that are a whole day")
    func night() throws {
        let night: JSONValue = ["timeZone": "UTC", "days": ["fri"], "from": "22:00", "to": "06:00"]
        let flag = try flag(["percentage": 100, "businessHours": night])
        func isOpen(_ text: String) throws -> Bool {
            evaluate(flag, ["targetingKey": "u"], try #require(Timestamp(rfc3339: text))).variant == 0
        }
        #expect(try !isOpen("2026-03-27T21:59:59Z"))
        #expect(try isOpen("2026-03-27T22:00:00Z"))
        #expect(try isOpen("2026-03-28T05:59:59Z"))
        #expect(try !isOpen("2026-03-28T06:00:00Z"))
        #expect(try !isOpen("2026-03-28T22:00:00Z"))
        let always: JSONValue = [
            "timeZone": "UTC", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00",
            "to": "24:00",
        ]
        let open = try self.flag(["percentage": 100, "businessHours": always])
        #expect(evaluate(open, ["targetingKey": "u"], Self.start) == Evaluation(variant: 0, reason: .split))
    }

    @Test("are refused with everything that is wrong with them")
    func refused() {
        let json: JSONValue = [
            "percentage": 12.345, "endAt": "tomorrow", "startPercentage": 101, "regions": [], "cohorts": [1],
            "businessHours": [
                "timeZone": "Europe/Nowhere", "days": ["someday"], "from": "9:00", "to": "25:00", "x": 1,
            ],
            "percent": 10,
        ]
        do {
            _ = try Rollout(validating: json, at: JSONPointer().appending("rollout")) { $0 == "UTC" }
            Issue.record("taken")
        } catch {
            #expect(
                Set(error.issues.map(\.pointer)) == [
                    "/rollout/percent", "/rollout/percentage", "/rollout/endAt", "/rollout/startPercentage",
                    "/rollout/regions", "/rollout/cohorts/0", "/rollout/businessHours/timeZone",
                    "/rollout/businessHours/days", "/rollout/businessHours/from", "/rollout/businessHours/to",
                    "/rollout/businessHours/x",
                ])
        }
    }

    @Test("are refused when their hours have no length")
    func emptyHours() {
        let hours: JSONValue = ["timeZone": "UTC", "from": "09:00", "to": "09:00"]
        let error = #expect(throws: DefinitionIssues.self) { try rollout(["percentage": 1, "businessHours": hours]) }
        #expect(error?.issues.map(\.pointer) == ["/businessHours/to"])
    }

    @Test("written for flagd give everybody the same answers, second by second")
    func flagd() throws {
        let json: JSONValue = [
            "percentage": 80, "startPercentage": 20, "startAt": .string(Self.start.rfc3339),
            "endAt": .string(Self.end.rfc3339), "regions": ["eu"], "cohorts": ["beta"],
        ]
        let simple = try flag(json)
        let full = CompiledFlag(
            key: "flag",
            definition: try FlagDefinition(validating: [
                "state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off",
                "targeting": rollout(json).flagdTargeting,
            ]), fractional: .v3)
        for number in 0..<60 {
            let context: JSONValue = [
                "targetingKey": .string("user-\(number)"), "region": number % 7 == 0 ? "us" : "eu", "cohort": "beta",
            ]
            for second in stride(from: Int64(-10), through: 380, by: 13) {
                let now = Self.start + second * 1_000
                #expect(evaluate(simple, context, now).variant == evaluate(full, context, now).variant)
            }
        }
    }

    @Test("A pause lets in as many as are in at that moment, and nobody more")
    func pause() throws {
        let ramp: JSONValue = [
            "percentage": 60, "startPercentage": 10, "startAt": .string(Self.start.rfc3339),
            "endAt": .string(Self.end.rfc3339), "regions": ["eu"],
        ]
        let half = Self.start + 123_456
        let change = try #require(try rollout(ramp).pause(at: half))
        #expect(
            change == ["percentage": 27.14, "startAt": .null, "endAt": .null, "startPercentage": .null])
        #expect(try rollout(["percentage": 27.14]).threshold(at: Self.end) == rollout(ramp).threshold(at: half))
        let before = try #require(try rollout(ramp).pause(at: Self.start + -1_000))
        #expect(before["percentage"] == 10)
        let sudden: JSONValue = ["percentage": 60, "startAt": .string(Self.start.rfc3339)]
        #expect(try rollout(sudden).pause(at: Self.start + -1_000)?["percentage"] == 0)
        let flat: JSONValue = ["percentage": 60]
        for (json, now) in [(flat, Self.start), (ramp, Self.end), (sudden, Self.start)] {
            #expect(try rollout(json).pause(at: now) == nil)
        }
    }

    private func rollout(_ json: JSONValue) throws -> Rollout {
        try Rollout(validating: json, at: JSONPointer()) { ["UTC", "Europe/Berlin"].contains($0) }
    }

    private func flag(
        _ json: JSONValue, _ version: FractionalVersion = .v3, zone: TimeZoneRules = .utc
    ) throws -> CompiledFlag {
        CompiledFlag(
            key: "flag", definition: .simple(defaultEnabled: false), fractional: version,
            rollout: RolloutPlan(try rollout(json), zone: zone))
    }

    private func evaluate(_ flag: CompiledFlag, _ context: JSONValue, _ now: Timestamp) -> Evaluation {
        guard let document = try? JSONDocument(parsing: context.serializedBytes()) else {
            return Evaluation(error: EvaluationError(code: .invalidContext, details: "not JSON"))
        }
        return flag.evaluate(
            EvaluationContext(attributes: document.root), killSwitch: nil, override: nil, now: now)
    }
}

extension Timestamp {
    fileprivate static func + (left: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: left.millisecondsSinceEpoch + milliseconds)
    }
}
