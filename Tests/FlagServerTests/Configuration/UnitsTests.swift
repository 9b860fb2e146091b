import FlagCore
import Testing

@testable import FlagServer

@Suite("Units")
struct UnitsTests {
    @Test(
        "Sizes are read with and without a unit",
        arguments: [
            ("0", 0), ("4096", 4096), ("8KiB", 8192), ("1MiB", 1_048_576), ("4GiB", 4_294_967_296),
            ("", nil), ("KiB", nil), ("-1", nil),
            ("1.5MiB", nil), ("8kb", nil), ("99999999999999999999", nil), ("9223372036854775807KiB", nil),
        ] as [(String, Int?)])
    func sizes(text: String, bytes: Int?) {
        #expect(Units.bytes(text) == bytes)
    }

    @Test(
        "Times are read with a unit only",
        arguments: [
            ("500ms", .milliseconds(500)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h", .seconds(3600)),
            ("30", nil), ("s", nil), ("-1s", nil), ("1.5s", nil), ("1d", nil), ("9223372036854775807h", nil),
        ] as [(String, Duration?)])
    func times(text: String, duration: Duration?) {
        #expect(Units.duration(text) == duration)
    }

    @Test("What is written is read back", arguments: ["250ms", "90s", "1h", "24h", "5m"])
    func timesBack(text: String) throws {
        #expect(Units.time(try #require(Units.duration(text))) == text)
    }

    @Test("Slips of the hand are near, other words are not")
    func suggestions() {
        let keys = ["port", "host", "log.level"]
        #expect(Suggestion.nearest(to: "prot", among: keys) == "port")
        #expect(Suggestion.nearest(to: "log_level", among: keys) == "log.level")
        #expect(Suggestion.nearest(to: "colour", among: keys) == nil)
    }
}
