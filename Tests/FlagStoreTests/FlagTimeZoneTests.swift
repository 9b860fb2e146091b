import Platform
import Testing

@testable import FlagCache
@testable import FlagCore

@Suite("Time zones of flags")
struct FlagTimeZoneTests {
    private static let rollout = """
        {"percentage":100,"businessHours":{"timeZone":"Europe/Berlin","days":["mon"],"from":"09:00","to":"17:00"}}
        """

    @Test(
        "The rules of a time zone are looked for when the flag is handed to the loops, and never when one compiles it")
    func foundBefore() {
        let asked = Locked<[String]>([])
        let text = DecodedFlag(key: "f", rule: .simple(defaultEnabled: false, rollout: Self.rollout)) { name in
            asked.withLock { $0.append(name) }
            return .utc
        }
        #expect(asked.withLock { $0 } == ["Europe/Berlin"])
        for _ in 0..<3 { #expect(text.compiled(fractional: .v3).failure == nil) }
        #expect(asked.withLock { $0 } == ["Europe/Berlin"])
    }

    @Test("A flag without business hours asks for no time zone")
    func notAsked() {
        let asked = Locked(0)
        _ = DecodedFlag(key: "f", rule: .simple(defaultEnabled: true)) { _ in
            asked.withLock { $0 += 1 }
            return .utc
        }
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("A flag whose time zone nobody knows says so")
    func unknown() {
        let text = DecodedFlag(key: "f", rule: .simple(defaultEnabled: false, rollout: Self.rollout)) { _ in nil }
        #expect(text.compiled(fractional: .v3).failure?.details.contains("Europe/Berlin") == true)
    }
}
