import Bytes
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("A rule set after changes")
struct RuleSetModelTests {
    private static let start = Fixture.start
    /// Also back and forth.
    private static let instants = [0, 10, 20, 30, 15, 5, 4, 9, 19].map { start + $0 * 1000 }

    /// A flag of one of the kinds that are counted.
    private static func text(_ key: String, kind: Int, dateAfter seconds: Int64?) -> DecodedFlag {
        let rule: FlagRule
        switch kind {
        case 0: rule = .simple(defaultEnabled: true)
        case 1: rule = .simple(defaultEnabled: false)
        case 2:
            rule = .simple(
                defaultEnabled: false, rollout: #"{"percentage":100,"startAt":"2026-01-02T04:00:00Z"}"#)
        case 3:
            rule = .full(
                #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","#
                    + #""targeting":{"if":[{">":[{"var":"$flagd.timestamp"},1]},"on"]}}"#)
        default:
            rule = .full(
                #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","#
                    + #""targeting":{"if":[{"segment":["beta"]},"on"]}}"#)
        }
        return DecodedFlag(key: key, rule: rule, expiresAt: seconds.map { start + $0 * 1000 })
    }

    /// Everything that a set says of itself, compiled.
    private struct Summary: Equatable {
        let keys: [String]
        let fingerprint: UInt64
        let (readsTimestamp, namesSegments): (Bool, Bool)
        let clockFollowers: Int
        let stale: [Int]

        init(_ set: RuleSet) {
            #expect(set.compile { false })
            keys = (0..<set.count).map { set.flag(at: $0).key }
            fingerprint = set.fingerprint
            (readsTimestamp, namesSegments) = (set.readsTimestamp, set.namesSegments)
            clockFollowers = set.clockFollowers
            stale = RuleSetModelTests.instants.map { set.staleCount(at: $0) }
        }
    }

    @Test("It says of itself what one says that was made of the same flags at once", arguments: 1...8 as ClosedRange)
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let set = RuleSet(DecodedRuleSet([], revision: 0), fractional: .v3)
        var model: [String: DecodedFlag] = [:]
        for step in 0..<150 {
            let key = ["a", "b", "c", "d", "e"].randomElement(using: &random) ?? "a"
            let text = Self.text(
                key, kind: Int.random(in: 0..<5, using: &random),
                dateAfter: [nil, 5, 10, 20].randomElement(using: &random) ?? nil)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                model[key] = nil
                key.withBytes { set.set(nil, for: $0) }
            case 1:
                // As after a load, with some flags others than they were.
                if Bool.random(using: &random) { model[key] = text }
                if Bool.random(using: &random) { model["z"] = model["z"] == nil ? text.named("z") : nil }
                set.update(to: DecodedRuleSet(Array(model.values), revision: Int64(step)))
            default:
                model[key] = text
                key.withBytes { set.set(text, for: $0) }
            }
            // At times before everything is compiled.
            if Int.random(in: 0..<3, using: &random) == 0 {
                var left = Int.random(in: 0..<3, using: &random)
                _ = set.compile {
                    left -= 1
                    return left < 0
                }
                continue
            }
            let fresh = RuleSet(DecodedRuleSet(Array(model.values), revision: 0), fractional: .v3)
            let summary = Summary(set)
            #expect(summary == Summary(fresh), "step \(step)")
            let dates = model.values.compactMap(\.expiresAt)
            #expect(summary.stale == Self.instants.map { now in dates.count { $0 <= now } }, "step \(step)")
        }
    }

    @Test("A rule that stays is not compiled anew, by a change or a load; one that another date has is")
    func kept() {
        let set = RuleSet(
            DecodedRuleSet(["a", "b", "c"].map { Self.text($0, kind: 2, dateAfter: nil) }, revision: 1), fractional: .v3
        )
        let compiled = (0..<3).map { set.flag(at: $0) }
        "a".withBytes { set.set(Self.text("a", kind: 2, dateAfter: nil), for: $0) }
        set.update(
            to: DecodedRuleSet(
                [
                    Self.text("b", kind: 2, dateAfter: nil), Self.text("c", kind: 2, dateAfter: 9),
                    Self.text("a", kind: 2, dateAfter: nil),
                ], revision: 2))
        #expect(set.flag(at: 0) === compiled[0] && set.flag(at: 1) === compiled[1])
        #expect(set.flag(at: 2) !== compiled[2])
        #expect(set.revision == 2)
        set.update(to: DecodedRuleSet([], revision: 1))
        #expect(set.revision == 2 && set.count == 0)
        set.raise(to: 1)
        #expect(set.revision == 2)
        set.raise(to: 3)
        #expect(set.revision == 3)
    }
}

extension DecodedFlag {
    /// The same under another key.
    fileprivate func named(_ key: String) -> DecodedFlag { DecodedFlag(key: key, rule: rule, expiresAt: expiresAt) }
}
