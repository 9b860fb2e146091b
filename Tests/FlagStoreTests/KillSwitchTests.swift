import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagFiles
@testable import FlagStore

@Suite("Kill switches")
struct KillSwitchTests {
    @Test("One is set again without complaint, and ends once; what is off is not listed")
    func life() throws {
        let fixture = try Fixture()
        let repository = fixture.repository
        try fixture.createSimple("a")
        try fixture.kill("a")
        try fixture.kill("a", reason: "still broken")
        try fixture.kill(nil)
        #expect(try repository.killSwitches(in: .development).map(\.flagKey) == [nil, "a"])
        #expect(try repository.killSwitch(of: "a", in: .development)?.flagKey == nil, "The global one comes first")
        #expect(try repository.killSwitches(in: .production).isEmpty)
        try fixture.revive(nil)
        #expect(try repository.killSwitch(of: "a", in: .development)?.reason == "still broken")
        #expect(try repository.killSwitch(of: "b", in: .development) == nil)
        try fixture.revive("a")
        #expect(try repository.killSwitches(in: .development).isEmpty)
        #expect(try repository.killSwitch(of: "a", in: .development) == nil)
        for flagKey in [nil, "a", "never"] {
            guard case .notFound? = failure({ try fixture.revive(flagKey) }) else {
                Issue.record("A kill switch that is off must be refused")
                return
            }
        }
        try fixture.kill("a")
        let again = try repository.killSwitches(in: .development).map(\.flagKey)
        #expect(again == ["a"], "One that ended may be set again")
    }

    @Test("A key that no flag has is refused, and nothing is written, unless it is forced")
    func unknownFlag() throws {
        let fixture = try Fixture()
        let before = try fixture.repository.revision(of: .development)
        guard case .noFlagToKill("later")? = failure({ try fixture.kill("later") }) else {
            Issue.record("There is no such flag")
            return
        }
        #expect(try fixture.repository.killSwitches(in: .development).isEmpty)
        #expect(try fixture.repository.revision(of: .development) == before)
        try fixture.kill("later", forced: true)
        let loops = try Loops(fixture: fixture)
        try fixture.createSimple("later")
        #expect(loops.answer("later").text == "off", "It is killed from its first moment on")
        // An item that is not valid is a flag all the same.
        try fixture.put(["PK": "FLAG#staging#odd", "SK": "METADATA", "owner": 7])
        try fixture.kill("odd", in: .staging)
    }

    @Test("ends with its flag, in the same transaction, whatever else goes with it", arguments: [0, 97, 98, 200])
    func deletedFlag(overrides: Int) throws {
        let fixture = try Fixture()
        let loops = try Loops(2, fixture: fixture)
        for key in ["a", "b"] {
            try fixture.createSimple(key)
            try fixture.kill(key)
        }
        try fixture.createSimple("a", in: .staging)
        try fixture.kill("a", in: .staging)
        for number in 0..<overrides { try fixture.putOverride("tenant-\(number)", "a") }
        #expect(loops.answer("a").text == "off")

        let commits = Locked<[[ItemKey]]>([])
        fixture.store.subscribe { changes in
            commits.withLock { $0.append(changes.compactMap { ItemKey($0.key) }) }
        }
        try fixture.delete("a")
        let last = try #require(commits.withLock { $0 }.last { $0.contains(.flag(.development, key: "a")) })
        #expect(last.contains(.killSwitch(.development, flagKey: "a")))

        #expect(try fixture.repository.killSwitches(in: .development).map(\.flagKey) == ["b"])
        #expect(try fixture.repository.killSwitches(in: .staging).map(\.flagKey) == ["a"])
        try fixture.createSimple("a")
        for loop in 0..<2 {
            #expect(loops.answer("a", loop: loop).text == "on", "A flag of the same name is another flag")
            #expect(loops.answer("b", loop: loop).text == "off")
        }
    }

    @Test("A flag that an import removes takes its kill switch along, unless the file names it with force")
    func removedByImport() throws {
        func load(_ killSwitches: String, _ fixture: Fixture) throws {
            let text =
                #"{"flags":[{"flagKey":"b","description":"d","owner":"o","defaultEnabled":true}]\#(killSwitches)}"#
            let plan = try ImportPlan(
                try ImportDocument(parsing: Array(text.utf8), keepInvalid: false), mode: .replace,
                environment: .development, repository: fixture.repository, now: Fixture.start)
            try plan.apply(to: fixture.repository, in: .tests(plan.environment, by: Principal(.command, "import")))
        }
        let killed = #"{"flagKey":"a","reason":"r","activatedBy":"me"}"#
        let forced = killed.replacing("}", with: #","force":true}"#)
        let cases: [(killSwitches: String, expected: [String])] = [
            ("", []), (#","killSwitches":[]"#, []), (#","killSwitches":[\#(forced)]"#, ["a"]),
        ]
        for (killSwitches, expected) in cases {
            let fixture = try Fixture()
            for key in ["a", "b"] { try fixture.createSimple(key) }
            try fixture.kill("a")
            let error = failure { try load(#","killSwitches":[\#(killed)]"#, fixture) }
            #expect(error?.pointers == ["/killSwitches/0/flagKey"], "There will be no such flag")
            for _ in 0..<2 {
                try load(killSwitches, fixture)
                #expect(try fixture.repository.killSwitches(in: .development).map(\.flagKey) == expected)
            }
        }
    }

    @Test("Its flag's history says who set it, who ended it, and why")
    func history() throws {
        let fixture = try Fixture()
        let followed = try FlagTableFollowerTests.Followed(fixture)
        try fixture.createSimple("new-feature", in: .staging)
        try fixture.kill("new-feature", in: .staging)
        try fixture.kill("new-feature", in: .staging)
        try fixture.kill("new-feature", reason: "still broken", in: .staging)
        try fixture.revive("new-feature", in: .staging)
        // By hand, where nobody says who: what was said of the end before is not said of this one.
        try followed.update(.killSwitch(.staging, flagKey: "new-feature"), [.remove(DocumentPath("enabled"))])
        try followed.update(
            .killSwitch(.staging, flagKey: "new-feature"), [.set(DocumentPath("enabled"), .value(false))])
        try fixture.delete("new-feature", in: .staging)
        followed.follower.waitUntilIdle()
        let events = try followed.history().map(\.event).reversed()
        #expect(
            Array(events) == [
                .created, .killed(by: "me", reason: "broken"), .killed(by: "me", reason: "still broken"),
                .revived(by: "you", reason: "mended"), .killed(by: "me", reason: "still broken"),
                .revived(by: nil, reason: nil), .deleted,
            ])
        let ended = try #require(try followed.history().dropFirst(3).first).json
        #expect(ended["deactivatedBy"] == "you")
        #expect(ended["reason"] == "mended")
    }

    @Test("Whoever switches, and however, it is told once with who and why; what is on at a start, too")
    func events() throws {
        let fixture = try Fixture()
        let loops = try Loops(fixture: fixture)
        func told() -> [String] {
            loops.events.withLock { events in
                defer { events = [] }
                return events.map { event in
                    guard case .killSwitch(let change) = event else { return "\(event)" }
                    let what = [change.environment.rawValue, change.flagKey ?? "all", change.isOn ? "on" : "off"]
                    return (what + [change.actor ?? "-", change.reason ?? "-"]).joined(separator: " ")
                }
            }
        }
        try fixture.createSimple("a")
        try fixture.kill("a")
        try fixture.kill("a")
        #expect(told() == ["development a on me broken"])
        try fixture.kill(nil, in: .production)
        try fixture.revive("a")
        #expect(told() == ["production all on me broken", "development a off you mended"])
        try fixture.put(["PK": "EMERGENCY#staging", "SK": "FLAG#a", "activatedBy": 7])
        try fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: ItemKey.killSwitch(.staging, flagKey: "a").tableKey)],
            principal: .anonymous)
        #expect(told() == ["staging a on - -", "staging a off - -"])
        try fixture.kill("a")
        try fixture.delete("a")
        #expect(told() == ["development a on me broken", "development a off - -"])

        #expect(loops.feed.killSwitches.filter { !$0.value.isEmpty }.keys.map(\.rawValue) == ["production"])
        let again = try Loops(fixture: fixture)
        let found = again.events.withLock { $0 }.map { event in
            if case .killSwitchesFound(let environment, let on) = event { "\(environment) \(on.inWords)" } else { "?" }
        }
        #expect(found == ["production all flags"])
        #expect(again.feed.killSwitches[.production]?.isGlobal == true)
    }

    @Test("The flags that are taken away are counted: those that exist, or all")
    func count() throws {
        let fixture = try Fixture()
        let loops = try Loops(fixture: fixture)
        func count() throws -> Int {
            try fixture.repository.killedFlagCount(
                by: loops.feed.killSwitches[.development] ?? DecodedKillSwitches(), in: .development)
        }
        for key in ["a", "b", "c"] { try fixture.createSimple(key) }
        #expect(try count() == 0)
        try fixture.kill("a")
        try fixture.kill("later", forced: true)
        #expect(try count() == 1)
        try fixture.kill(nil)
        #expect(try count() == 3)
        try fixture.revive(nil)
        try fixture.revive("a")
        #expect(try count() == 0)
    }
}
