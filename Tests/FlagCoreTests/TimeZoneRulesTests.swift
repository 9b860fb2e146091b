import Foundation
import TestSupport
import Testing

@testable import FlagCore

@Suite("Time zones")
struct TimeZoneRulesTests {
    @Test(
        "have the offsets that the system's clocks have, past and future",
        arguments: [
            "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Tokyo",
            "Australia/Lord_Howe",
            "Pacific/Auckland", "Africa/Johannesburg", "America/Sao_Paulo", "Pacific/Kiritimati",
        ])
    func offsets(name: String) throws {
        guard let rules = TimeZoneRulesTests.rules(name) else { return }
        let zone = try #require(TimeZone(identifier: name))
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            // From 1972 to 2099.
            let instant = Int64.random(in: 63_072_000...4_100_000_000, using: &generator)
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
            #expect(rules.offset(at: instant) == Int64(expected), "\(name) at \(instant)")
        }
    }

    @Test("change their clocks at the instants that they name, and not between")
    func changes() throws {
        guard let berlin = TimeZoneRulesTests.rules("Europe/Berlin") else { return }
        // 2026-03-29T01:00Z and 2026-10-25T01:00Z; the same in 2090, long after the last one that the file lists.
        #expect(berlin.nextChange(after: 1_770_000_000) == 1_774_746_000)
        #expect(berlin.offset(at: 1_774_745_999) == 3_600)
        #expect(berlin.offset(at: 1_774_746_000) == 7_200)
        #expect(berlin.nextChange(after: 1_774_746_000) == 1_792_890_000)
        let summer = try #require(berlin.nextChange(after: 3_790_000_000))
        #expect(berlin.offset(at: summer - 1) != berlin.offset(at: summer))
        // From the end of a year the next change is in the next one: 2091-03-25T01:00Z.
        #expect(berlin.nextChange(after: 3_818_000_000) == 3_825_622_800)
        #expect(TimeZoneRules.utc.nextChange(after: 0) == nil)
    }

    @Test(
        "of years to come are read in every form of the text that ends a file",
        arguments: [
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_783_296_000, 7_200), ("CET-1CEST,M3.5.0,M10.5.0/3", 1_767_225_600, 3_600),
            ("<+0330>-3:30", 1_783_296_000, 12_600), ("EST5EDT,M3.2.0,M11.1.0", 1_783_296_000, -14_400),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_767_225_600, 39_600), ("XXX3YYY2,J60/0,J300/0", 1_783_296_000, -7_200),
            ("XXX3YYY2,59/0,299/0", 1_767_225_600, -10_800), ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_783_296_000, -3_600),
        ])
    func posix(text: String, instant: Int, offset: Int) throws {
        let zone = try #require(YearlyTimeZone(posix: Array(text.utf8)))
        #expect(zone.offset(at: Int64(instant)) == Int64(offset))
    }

    @Test(
        "of years to come are refused when the text is not of the form",
        arguments: ["", "C", "CET", "CET-1CEST,M3", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.5.0,M10.5.0x"])
    func brokenPosix(text: String) {
        #expect(YearlyTimeZone(posix: Array(text.utf8)) == nil)
    }

    @Test("are refused at every cut of the file and survive every changed byte")
    func broken() throws {
        guard let bytes = TimeZoneRulesTests.bytes("Europe/Berlin") else { return }
        for count in stride(from: 0, to: bytes.count - 1, by: 7) {
            #expect(TimeZoneRules(tzif: Array(bytes[..<count])) == nil)
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            var changed = bytes
            changed[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            _ = TimeZoneRules(tzif: changed)?.offset(at: 1_770_000_000)
        }
    }

    static func rules(_ name: String) -> TimeZoneRules? { bytes(name).flatMap { TimeZoneRules(tzif: $0) } }

    private static func bytes(_ name: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)")) else {
            print("skipped: this machine has no tz database (Debian: tzdata)")
            return nil
        }
        return Array(data)
    }
}
