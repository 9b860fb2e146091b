import FlagCore
import Testing

@testable import Access

@Suite("The ring of keys")
struct KeyRingTests {
    private static let start = Timestamp(millisecondsSinceEpoch: 1_767_323_045_678)

    private static func record(
        _ selector: String, expiresIn milliseconds: Int64? = nil, rate: RequestRate? = nil, name: String = "n"
    ) -> KeyRecord {
        KeyRecord(
            selector: selector, kind: .server, name: name, environment: nil, roles: [], tenantID: nil, rate: rate,
            createdAt: start, createdBy: "test",
            expiresAt: milliseconds.map { Timestamp(millisecondsSinceEpoch: start.millisecondsSinceEpoch + $0) },
            secrets: [])
    }

    @Test("A change makes another ring, and leaves the one before as it was")
    func changed() {
        let before = KeyRing((0..<2000).map { Self.record("\($0)") })
        let after = before.with([("7", Self.record("7", name: "other")), ("8", nil), ("new", Self.record("new"))])
        #expect(before.count == 2000 && after.count == 2000)
        #expect(before.record("7")?.name == "n" && after.record("7")?.name == "other")
        #expect(before.record("8") != nil && after.record("8") == nil)
        #expect(before.record("new") == nil && after.record("new") != nil)
        #expect((0..<2000).allSatisfy { before.record("\($0)") != nil })
    }

    @Test("What a key has used of its rate stays used through changes, until it has another rate or is no more")
    func rates() throws {
        let rate = RequestRate(requests: 5, seconds: 60)
        let ring = KeyRing([Self.record("a", rate: rate), Self.record("b")])
        let used = try #require(ring.rate(of: "a"))
        let same = ring.with([("a", Self.record("a", rate: rate, name: "other")), ("b", nil)])
        #expect(same.rate(of: "a") === used)
        let other = same.with([("a", Self.record("a", rate: RequestRate(requests: 6, seconds: 60)))])
        #expect(other.rate(of: "a") !== used && other.rate(of: "a") != nil)
        #expect(other.with([("a", nil)]).with([("a", Self.record("a", rate: rate))]).rate(of: "a") !== used)
    }

    @Test("Keys that have ended are found by their end, whichever way they ended")
    func ended() {
        var revoked = Self.record("revoked")
        revoked.revocation = KeyRecord.Revocation(at: Self.start, by: "test", reason: nil)
        let ring = KeyRing([
            revoked, Self.record("soon", expiresIn: 1000), Self.record("later", expiresIn: 9000), Self.record("never"),
        ])
        func ended(_ milliseconds: Int64) -> Set<String> {
            Set(ring.ended(before: Timestamp(millisecondsSinceEpoch: Self.start.millisecondsSinceEpoch + milliseconds)))
        }
        #expect(ended(0) == [] && ended(1) == ["revoked"] && ended(1001) == ["revoked", "soon"])
        #expect(ended(10_000) == ["revoked", "soon", "later"])
    }

}
