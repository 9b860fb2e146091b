import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("What an import does in which order")
struct ImportOrderTests {
    private func plan(
        _ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge
    ) throws -> ImportPlan {
        try ImportPlan(
            try ImportDocument(parsing: Array(text.utf8)), mode: mode,
            over: fixture.repository.stored(in: .development), now: Fixture.start)
    }

    private func flag(_ key: String, _ isEnabled: Bool = true) -> String {
        #"{"flagKey":"\#(key)","description":"d","owner":"o","defaultEnabled":\#(isEnabled)}"#
    }

    @Test("Kill switches that are set come first and those that end last, so that nothing is served in between")
    func order() throws {
        let fixture = try Fixture()
        for key in ["set", "ended", "gone"] { try fixture.createSimple(key) }
        try fixture.kill("ended")
        let written = Locked<[String]>([])
        fixture.store.subscribe { changes in
            let names = changes.compactMap { change -> String? in
                switch ItemKey(change.key) {
                case .flag(_, let key)?: "\(change.newItem == nil ? "-" : "+")flag \(key)"
                case .override(_, _, let key)?: "+override \(key)"
                case .killSwitch(_, let key)?: "\(change.newItem == nil ? "-" : "+")kill \(key ?? "all")"
                default: nil
                }
            }
            written.withLock { $0 += names }
        }
        let text = """
            {"flags":[\(flag("set", false)),\(flag("ended", false)),\(flag("new"))],
             "overrides":[{"tenantId":"acme","flagKey":"new","enabled":false,"updatedBy":"me"}],
             "killSwitches":[{"flagKey":"set","reason":"r","activatedBy":"me"},
                             {"flagKey":"new","reason":"r","activatedBy":"me"}]}
            """
        try plan(text, fixture, .replace).apply(to: fixture.repository, in: .tests(.development))
        let order = written.withLock { $0 }
        #expect(Set(order.prefix(2)) == ["+kill set", "+kill new"])
        #expect(order.last == "-kill ended")
        #expect(order.filter { $0 == "-flag gone" }.count == 1)
        func place(_ name: String) -> Int { order.firstIndex(of: name) ?? -1 }
        #expect(place("+flag new") < place("+override new") && place("+override new") < place("-flag gone"))
        #expect(try fixture.repository.killSwitches(in: .development).compactMap(\.flagKey).sorted() == ["new", "set"])
    }

    @Test("A flag that the plan removes and somebody changed is a conflict and stays; one that is gone is no matter")
    func removed() throws {
        let fixture = try Fixture()
        for key in ["a", "changed", "gone"] { try fixture.createSimple(key) }
        let text = #"{"flags":[\#(flag("a"))]}"#
        var made = try plan(text, fixture, .replace)
        #expect(made.flags.removed.map(\.key).sorted() == ["changed", "gone"])
        try fixture.delete("gone")
        try fixture.patch("changed", ["owner": "faster"])
        guard
            case .conflict("changed")? = failure({
                try made.apply(to: fixture.repository, in: .tests(made.environment))
            })
        else {
            Issue.record("The import must notice")
            return
        }
        #expect(try fixture.repository.flag("changed", in: .development).owner == "faster")
        made = try plan(text, fixture, .replace)
        try made.apply(to: fixture.repository, in: .tests(made.environment))
        #expect(try fixture.repository.flags(in: .development).records.map(\.key) == ["a"])
    }

    @Test("A flag that somebody created since the plan was made is a conflict, and stays as it is")
    func created() throws {
        let fixture = try Fixture()
        let made = try plan(#"{"flags":[\#(flag("a"))]}"#, fixture)
        try fixture.createSimple("a", owner: "faster")
        guard case .conflict? = failure({ try made.apply(to: fixture.repository, in: .tests(made.environment)) }) else {
            Issue.record("The import must notice")
            return
        }
        #expect(try fixture.repository.flag("a", in: .development).owner == "faster")
    }

    @Test("A kill switch that the file names outlives a flag that is removed and comes no more; others go with it")
    func namedKillSwitches() throws {
        let fixture = try Fixture()
        for key in ["stays", "goes"] {
            try fixture.createSimple(key)
            try fixture.kill(key)
        }
        let text = """
            {"flags":[\(flag("a"))],"overrides":[],
             "killSwitches":[{"flagKey":"stays","force":true,"reason":"broken","activatedBy":"me"}]}
            """
        try plan(text, fixture, .replace).apply(to: fixture.repository, in: .tests(.development))
        #expect(try fixture.repository.killSwitches(in: .development).map(\.flagKey) == ["stays"])
        #expect(try fixture.repository.flags(in: .development).records.map(\.key) == ["a"])
    }

    @Test("Hundreds of overrides are compared one by one: the same, others, new ones and those that are not named")
    func manyOverrides() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        for number in 0..<300 { try fixture.putOverride("t\(number)", "a", ["enabled": true, "updatedBy": "me"]) }
        func text(_ range: Range<Int>) -> String {
            let overrides = range.map {
                #"{"tenantId":"t\#($0)","flagKey":"a","enabled":\#($0 % 100 != 7),"updatedBy":"me"}"#
            }
            return #"{"flags":[\#(flag("a"))],"overrides":[\#(overrides.joined(separator: ","))]}"#
        }
        let created = try plan(text(1..<310), fixture, .createOnly).overrides
        #expect(created.created.map(\.tenant).sorted() == (300..<310).map { "t\($0)" })
        #expect(created.skipped == 3 && created.unchanged == 296 && created.changed.isEmpty && created.removed.isEmpty)
        let merged = try plan(text(1..<310), fixture).overrides
        #expect(merged.changed.map(\.new.tenant).sorted() == ["t107", "t207", "t7"])
        #expect(merged.created.count == 10 && merged.unchanged == 296 && merged.removed.isEmpty && merged.skipped == 0)
        let replaced = try plan(text(1..<310), fixture, .replace)
        #expect(replaced.overrides.removed.map(\.tenant) == ["t0"])
        try replaced.apply(to: fixture.repository, in: .tests(replaced.environment))
        let after = try plan(text(1..<310), fixture, .replace)
        #expect(after.isEmpty && after.overrides.unchanged == 309)
        #expect(after.lines() == after.summaries)
    }

    @Test("The lines of a plan are as many as were asked for, and say how many more there are")
    func lines() throws {
        let fixture = try Fixture()
        let text = #"{"flags":[\#((0..<5).map { flag("f\($0)") }.joined(separator: ","))]}"#
        let made = try plan(text, fixture)
        #expect(made.lines(limit: 5).count == 5 + made.summaries.count)
        #expect(Array(made.lines(limit: 3).prefix(4)) == ["+ flag f0", "+ flag f1", "+ flag f2", "… and 2 more"])
        #expect(made.lines(limit: 3).count == 4 + made.summaries.count)
    }
}
