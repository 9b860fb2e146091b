import FlagCore
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "read what RFC 3339 allows, and write UTC with milliseconds",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("2026-01-02T03:04:05.678Z", 1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05.6789999Z", 1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            ("2026-01-02t03:04:05.5z", 1_767_323_045_500, "2026-01-02T03:04:05.500Z"),
            ("2026-01-02T05:34:05+02:30", 1_767_323_045_000, "2026-01-02T03:04:05.000Z"),
            ("2026-01-01T22:04:05-05:00", 1_767_323_045_000, "2026-01-02T03:04:05.000Z"),
            ("2000-02-29T23:59:59Z", 951_868_799_000, "2000-02-29T23:59:59.000Z"),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000, "2017-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000, "0000-03-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(String, Int64, String)])
    func readsAndWrites(text: String, milliseconds: Int64, written: String) {
        let timestamp = Timestamp(rfc3339: text)
        #expect(timestamp?.millisecondsSinceEpoch == milliseconds)
        #expect(timestamp?.rfc3339 == written)
    }

    @Test(
        "refuse anything else",
        arguments: [
            "", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-02T24:00:00Z",
            "2026-01-02T00:60:00Z", "2026-01-02T00:00:61Z", "2026-01-02T00:00:00.Z", "2026-01-02T00:00:00+2:00",
            "2026-01-02T00:00:00Zx", "２026-01-02T00:00:00Z", "2026-1-02T00:00:00Z",
            "9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+05:00", "9999-12-31T23:59:60Z",
            "0000-01-01T00:00:00.000+00:01",
        ])
    func refuses(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("seconds are rounded down, before the epoch too")
    func seconds() {
        #expect(Timestamp(millisecondsSinceEpoch: 1_999).secondsSinceEpoch == 1)
        #expect(Timestamp(millisecondsSinceEpoch: -1).secondsSinceEpoch == -1)
        #expect(Timestamp(millisecondsSinceEpoch: -1_000).secondsSinceEpoch == -1)
    }

    @Test("what is read can be written, and reads back as the same, whatever is given")
    func everythingThatIsReadIsWritten() {
        var random = SystemRandomNumberGenerator()
        func part(_ digits: Int, _ values: ClosedRange<Int>) -> String {
            let text = String(Int.random(in: values, using: &random))
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        var read = 0
        for _ in 0..<20_000 {
            // Mostly the first and the last year, where an offset leads out of what can be said.
            let year =
                Bool.random(using: &random) ? ["0000", "9999"].randomElement(using: &random)! : part(4, 0...9999)
            let date = "\(year)-\(part(2, 1...12))-\(part(2, 1...31))T\(part(2, 0...23)):\(part(2, 0...59))"
            let text =
                date + ":\(part(2, 0...60)).\(part(3, 0...999))" + ["Z", "+23:59", "-23:59"].randomElement(
                    using: &random)!
            guard let timestamp = Timestamp(rfc3339: text) else { continue }
            read += 1
            #expect(timestamp.rfc3339.utf8.count == 24)
            #expect(Timestamp(rfc3339: timestamp.rfc3339) == timestamp, "\(text)")
        }
        #expect(read > 10_000)
    }

    @Test("the first and the last instant that can be said, and what a clock says beyond them")
    func bounds() {
        #expect(Timestamp.expressible.lowerBound.rfc3339 == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp.expressible.upperBound.rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(millisecondsSinceEpoch: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp(millisecondsSinceEpoch: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
    }

    @Test("every day of 800 years reads back as it was written")
    func days() {
        for day in stride(from: Int64(-146_097), through: 146_097, by: 17) {
            let timestamp = Timestamp(millisecondsSinceEpoch: day * 86_400_000 + 43_200_001)
            if Timestamp(rfc3339: timestamp.rfc3339) != timestamp { Issue.record("\(timestamp)") }
        }
    }
}
