import FlagCore
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Overrides in imported files")
struct ImportedOverrideTests {
    private static func file(_ override: String, flags: String = "[]") -> String {
        #"{"flags":\#(flags),"overrides":[{"tenantId":"acme","flagKey":"chat","updatedBy":"me",\#(override)}]}"#
    }

    private static func plan(_ text: String, _ fixture: Fixture, keepInvalid: Bool = false) throws -> ImportPlan {
        let document = try ImportDocument(parsing: Array(text.utf8), keepInvalid: keepInvalid)
        return try ImportPlan(
            document, mode: .merge, over: fixture.repository.stored(in: .development), now: Fixture.start)
    }

    private static let plans = #"""
        [{"flagKey":"chat","description":"d","owner":"o","state":"ENABLED",
          "variants":{"free":1,"paid":2},"defaultVariant":"free"}]
        """#

    @Test("A variant that the flag does not have is refused as the interface refuses it, by its place in the file")
    func unknownVariant() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        for (override, pointer) in [(#""variant":"paid""#, "/overrides/0/variant")] {
            guard case .invalid(let issues)? = failure({ _ = try Self.plan(Self.file(override), fixture) }) else {
                Issue.record("\(override) is taken")
                continue
            }
            #expect(issues.map(\.pointer) == [pointer])
            #expect(issues[0].message == "the flag has no such variant; it has on, off (flag chat, tenant acme)")
        }
        #expect(try Self.plan(Self.file(#""variant":"off""#), fixture).overrides.created.count == 1)
        #expect(try Self.plan(Self.file(#""enabled":false"#), fixture).overrides.created.count == 1)
    }

    @Test("What counts is the flag as the file makes it")
    func flagOfTheFile() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        let paid = Self.file(#""variant":"paid""#, flags: Self.plans)
        #expect(try Self.plan(paid, fixture).overrides.created.count == 1)
        let enabled = Self.file(#""enabled":true"#, flags: Self.plans)
        guard case .invalid(let issues)? = failure({ _ = try Self.plan(enabled, fixture) }) else {
            Issue.record("A flag without boolean variants is enabled for a tenant")
            return
        }
        #expect(issues.map(\.pointer) == ["/overrides/0/enabled"])
    }

    @Test("It can be stored all the same, and is told; what is there already stays")
    func kept() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        let file = Self.file(#""variant":"paid""#)
        let plan = try Self.plan(file, fixture, keepInvalid: true)
        #expect(plan.kept.map(\.pointer) == ["/overrides/0/variant"])
        try plan.apply(to: fixture.repository, in: .tests(plan.environment))
        // As after an export of it: importing again changes nothing, and nothing is said.
        let again = try Self.plan(file, fixture)
        #expect(again.overrides.unchanged == 1 && again.kept.isEmpty)
    }

    @Test("Of very many that are wrong the first thousand are told, and of very many variants a few")
    func many() throws {
        let fixture = try Fixture()
        let variants = (0..<300).map { #""variant-\#($0)":\#($0)"# }.joined(separator: ",")
        let flag = #"""
            [{"flagKey":"chat","description":"d","owner":"o","state":"ENABLED","variants":{\#(variants)},
              "defaultVariant":"variant-0"}]
            """#
        let overrides = (0..<3_000).map {
            #"{"tenantId":"t\#($0)","flagKey":"chat","updatedBy":"me","variant":"none-\#($0)"}"#
        }
        let text = #"{"flags":\#(flag),"overrides":[\#(overrides.joined(separator: ","))]}"#
        guard case .invalid(let issues)? = failure({ _ = try Self.plan(text, fixture) }) else {
            Issue.record("Wrong overrides are taken")
            return
        }
        #expect(issues.count == 1_000)
        #expect(issues.allSatisfy { $0.message.contains("variant-19 and 280 more (flag chat") })
        let kept = try Self.plan(text, fixture, keepInvalid: true)
        #expect(kept.kept.count == 1_000 && kept.overrides.created.count == 3_000)
    }

    @Test("Looking at overrides stops when the import is to stop")
    func stopped() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        let document = try ImportDocument(parsing: Array(Self.file(#""variant":"off""#).utf8))
        let progress = WorkProgress()
        progress.stop(.cancelled(by: "ada"))
        guard
            case .stopped? = failure({
                _ = try ImportPlan(
                    document, mode: .merge, over: fixture.repository.stored(in: .development),
                    now: Fixture.start,
                    progress)
            })
        else {
            Issue.record("It goes on")
            return
        }
    }
}
