import JSON
import Testing

@testable import FlagCore

@Suite("Flags that require others, and what the evaluations of a request share")
struct RequirementDepthTests {
    /// Flags by their keys.
    private final class Flags: EvaluationSurroundings {
        var flags: [String: CompiledFlag] = [:]

        func add(_ key: String, requires: [String] = [], variant: String = "on", rollout: RolloutPlan? = nil) {
            flags[key] = CompiledFlag(
                key: key, definition: .simple(defaultEnabled: true), fractional: .v3, rollout: rollout,
                requires: requires.map { Prerequisite(flagKey: $0, variant: variant) })
        }

        func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? {
            flags[String(decoding: key, as: UTF8.self)].map {
                RequiredFlag(flag: $0, killSwitch: nil, override: nil)
            }
        }

        func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? { nil }
    }

    private static let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)

    private func reason(_ key: String, _ flags: Flags, in run: inout EvaluationRun) -> Reason? {
        flags.flags[key]?.evaluate(EvaluationContext(attributes: nil), killSwitch: nil, override: nil, in: &run).reason
    }

    /// A row of flags, each of which requires the next.
    private func row(_ length: Int) -> Flags {
        let flags = Flags()
        for number in 0..<length { flags.add("f\(number)", requires: ["f\(number + 1)"]) }
        flags.add("f\(length)")
        return flags
    }

    @Test("Sixteen may require each other in a row; a seventeenth fails, and keeps no other flag from its answer")
    func depth() {
        #expect(Prerequisite.depthMaximum == 16)
        let most = row(16)
        var run = EvaluationRun(now: Self.now, surroundings: most)
        #expect(reason("f0", most, in: &run) == .static)
        let more = row(17)
        run = EvaluationRun(now: Self.now, surroundings: more)
        #expect(reason("f0", more, in: &run) == .prerequisiteFailed)
        // In the same request.
        #expect(reason("f1", more, in: &run) == .static)
        #expect(reason("f17", more, in: &run) == .static)
    }

    @Test("A flag requires the variant that it names, and no other")
    func variant() {
        let flags = Flags()
        flags.add("on")
        flags.add("wants on", requires: ["on"])
        flags.add("wants off", requires: ["on"], variant: "off")
        var run = EvaluationRun(now: Self.now, surroundings: flags)
        #expect(reason("wants on", flags, in: &run) == .static)
        #expect(reason("wants off", flags, in: &run) == .prerequisiteFailed)
    }

    @Test("An answer holds no longer than those of the flags that it depends on", arguments: ["on", "off"])
    func validity(variant: String) throws {
        let change = Timestamp(millisecondsSinceEpoch: Self.now.millisecondsSinceEpoch + 60_000)
        let json: JSONValue = ["percentage": 100, "startAt": .string(change.rfc3339)]
        let flags = Flags()
        flags.add("rollout", rollout: RolloutPlan(try Rollout(validating: json, at: JSONPointer()) { _ in true }))
        flags.add("flag", requires: ["rollout"], variant: variant)
        let context = try JSONDocument(parsing: Array(#"{"targetingKey":"u"}"#.utf8))
        var run = EvaluationRun(now: Self.now, surroundings: flags)
        let evaluation = flags.flags["flag"]?.evaluate(
            EvaluationContext(attributes: context.root), killSwitch: nil, override: nil, in: &run)
        #expect(evaluation?.reason == (variant == "on" ? .prerequisiteFailed : .static))
        #expect(evaluation?.validUntil == change)
    }

    @Test("A circle fails for each of its flags, and ends")
    func circle() {
        let flags = Flags()
        for number in 0..<3 { flags.add("f\(number)", requires: ["f\((number + 1) % 3)"]) }
        flags.add("outside")
        var run = EvaluationRun(now: Self.now, surroundings: flags)
        for number in 0..<3 { #expect(reason("f\(number)", flags, in: &run) == .prerequisiteFailed) }
        #expect(reason("outside", flags, in: &run) == .static)
    }

    @Test("Each prerequisite takes sixteen steps of those that the request has")
    func steps() {
        let flags = Flags()
        for name in ["a", "b", "c"] { flags.add(name) }
        flags.add("all", requires: ["a", "b", "c"])
        for (steps, expected) in [(49, Reason.static), (48, .prerequisiteFailed), (17, .prerequisiteFailed)] {
            var run = EvaluationRun(now: Self.now, steps: steps, surroundings: flags)
            #expect(reason("all", flags, in: &run) == expected, "\(steps)")
            if expected == .static { #expect(run.remainingSteps == 1) }
        }
    }

    @Test("Flags that deal by different attributes of one context, in one request, deal as each does alone")
    func sharedHash() throws {
        let buckets: [JSONValue] = (0..<20).map { [.string("v\($0)"), 1] }
        let variants = JSONObject((0..<20).map { (key: "v\($0)", value: .number(JSONNumber(Int64($0)))) })
        let flags = ["a", "b", "c"].map { name in
            let definition: JSONValue = [
                "state": "ENABLED", "variants": .object(variants), "defaultVariant": "v0",
                "targeting": ["fractional": .array([["var": .string(name)]] + buckets)],
            ]
            return CompiledFlag(key: name, definition: FlagDefinition(keeping: definition), fractional: .v3)
        }
        for number in 0..<30 {
            let text = #"{"a":"user-\#(number)","b":"user-\#(number * 7)","c":"user-\#(number)"}"#
            let document = try JSONDocument(parsing: Array(text.utf8))
            let context = EvaluationContext(attributes: document.root)
            var run = EvaluationRun(now: Self.now)
            for _ in 0..<2 {
                for flag in flags {
                    let shared = flag.evaluate(context, killSwitch: nil, override: nil, in: &run)
                    let alone = flag.evaluate(context, killSwitch: nil, override: nil, now: Self.now)
                    #expect(shared == alone && shared.variant != nil, "\(number) \(flag.key)")
                }
            }
        }
    }

    @Test("A flag that cannot be read is an error for everybody, also for a tenant with an override; killed it is not")
    func unreadable() {
        let broken = CompiledFlag(key: "g", invalid: "it is no flag")
        let context = EvaluationContext(attributes: nil)
        let override = TenantOverride(choice: .enabled(true))
        let evaluation = broken.evaluate(context, killSwitch: nil, override: override, now: Self.now)
        #expect(evaluation.error?.code == .parseError && evaluation.variant == nil)
        let killed = broken.evaluate(context, killSwitch: .flag, override: override, now: Self.now)
        #expect(killed.error == nil && killed.reason.killSwitch == .flag)
    }
}
