import DynamoModel
import FlagCore
import FlagStore
import JSON
import Testing

@testable import ChangeControl

@Suite("A planned change")
struct PlannedChangeTests {
    @Test("is read as it was written, with who asked for it and why")
    func roundTrip() throws {
        var circumstances = ChangeCircumstances()
        circumstances.requestID = "r-1"
        let operation = try FlagOperation(
            .patchFlag, of: "checkout", body: ["defaultEnabled": false, "reason": "too slow"], expecting: 4)
        let change = PlannedChange(
            operation, in: .production, by: Principal(.key, "k").with(circumstances),
            at: Timestamp(millisecondsSinceEpoch: 1_700_000_000_000))
        let read = try #require(PlannedChange(change.json))
        #expect(read.operation.json == operation.json)
        #expect(read.operation.reason == "too slow")
        #expect(read.operation.expectedVersion == 4)
        #expect(read.author.circumstances == circumstances)
        #expect(read.author == change.author)
        #expect(read.environment == .production)
        #expect(read.plannedAt == change.plannedAt)
    }

    @Test("is not read from anything else", arguments: ["operation", "environment", "author", "plannedAt"])
    func missing(member: String) throws {
        let change = PlannedChange(
            try FlagOperation(.deleteFlag, of: "checkout"), in: .staging, by: .server,
            at: Timestamp(millisecondsSinceEpoch: 0))
        var json = change.json
        json[member] = nil
        #expect(PlannedChange(json) == nil)
    }
}
