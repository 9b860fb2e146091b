import FlagCore
import JSON
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("What an export has")
struct ExportTests {
    private func export(_ fixture: Fixture) throws -> JSONValue {
        try JSONValue(parsing: Export(.native, of: fixture.repository.stored(in: .development)).bytes())
    }

    @Test("All overrides of a flag, however many pages of them there are")
    func overrides() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let tenants = (0...FlagLimits.pageSize).map { "tenant-\($0)" }
        for tenant in tenants { try fixture.putOverride(tenant, "a") }
        let exported = try export(fixture)["overrides"]?.arrayValue?.compactMap { $0["tenantId"]?.stringValue }
        #expect(exported.map(Set.init) == Set(tenants))
        #expect(exported?.count == tenants.count)
    }

    @Test("A flag's date, and not whether it was past on the day of the export")
    func stale() throws {
        let fixture = try Fixture()
        var flag = Fixture.simple("a").objectValue ?? JSONObject()
        flag["expiresAt"] = "2020-01-01T00:00:00.000Z"
        try fixture.create(.object(flag))
        let exported = try #require(try export(fixture)["flags"]?.arrayValue?.first)
        #expect(exported["expiresAt"] == "2020-01-01T00:00:00.000Z")
        #expect(exported["stale"] == nil)
    }
}
