import Access
import DynamoModel
import FlagCore
import FlagStore
import JSON
import TableEngine
import TestSupport
import Testing

@testable import ChangeControl

/// What takes several transactions may be stopped between two: after that it goes on.
@Suite("Schedules that are applied in steps")
struct ScheduleStepsTests {
    private func segment(_ fixture: ScheduleFixture) throws {
        try fixture.apply(
            FlagOperation(
                .createSegment,
                body: ["name": "beta", "description": "d", "owner": "o", "condition": ["==": [["var": "x"], 1]]]))
    }

    private func keys(_ fixture: ScheduleFixture) throws -> [String] {
        try fixture.repository.reader(for: .server("tests", in: .development)).allKeys(ofSegment: "beta")
    }

    private static func listing(_ count: Int, expecting: Int64? = nil) throws -> FlagOperation {
        let keys = (0..<count).map { JSONValue.string("k\($0)") }
        return try FlagOperation(.editSegmentKeys, of: "beta", body: ["add": .array(keys)], expecting: expecting)
    }

    /// A schedule that was begun, as a stop would have left it.
    private func begin(_ schedule: Schedule, _ fixture: ScheduleFixture) throws {
        try fixture.schedules.replace(schedule, by: schedule.begun(), as: .server)
    }

    @Test("Without a stop they are applied once, as others are")
    func applied() throws {
        let fixture = try ScheduleFixture()
        try segment(fixture)
        let schedule = try fixture.schedule(Self.listing(250, expecting: 1), in: 1_000)
        fixture.pass(1_000)
        #expect(try keys(fixture).count == 250 && fixture.state(of: schedule) == .applied)
        fixture.pass(1_000)
        #expect(fixture.told == ["applied"])
    }

    @Test("Before the first step or after it, what was begun is done, also where the begin has raised the version")
    func resumed() throws {
        for isRaised in [false, true] {
            let fixture = try ScheduleFixture(starts: false)
            try segment(fixture)
            let schedule = try fixture.schedule(Self.listing(250, expecting: 1), in: 1_000)
            try begin(schedule, fixture)
            // The first of its transactions, and no other.
            if isRaised { try fixture.apply(Self.listing(50)) }
            fixture.start()
            #expect(try keys(fixture).count == 250 && fixture.state(of: schedule) == .applied, "\(isRaised)")
        }
    }

    @Test("Somebody else's change is not taken for the begin of one")
    func changedMeanwhile() throws {
        let fixture = try ScheduleFixture(starts: false)
        try segment(fixture)
        let schedule = try fixture.schedule(Self.listing(5, expecting: 1), in: 1_000)
        try begin(schedule, fixture)
        for _ in 0..<2 { try fixture.apply(FlagOperation(.editSegmentKeys, of: "beta", body: ["add": ["other"]])) }
        fixture.start()
        #expect(try keys(fixture) == ["other"] && fixture.state(of: schedule) == .refused)
    }

    @Test("A flag that was deleted before the stop has been deleted by its schedule")
    func deleted() throws {
        let fixture = try ScheduleFixture(starts: false)
        try fixture.createFlag()
        let operation = try FlagOperation(.deleteFlag, of: "checkout", expecting: 1)
        let schedule = try fixture.schedule(operation, in: 1_000)
        try begin(schedule, fixture)
        try fixture.apply(operation)
        fixture.start()
        #expect(try fixture.state(of: schedule) == .applied)
    }

    @Test("What cannot be done is not begun")
    func refused() throws {
        let fixture = try ScheduleFixture()
        let schedule = try fixture.schedule(FlagOperation(.deleteFlag, of: "none"), in: 1_000, onConflict: .force)
        fixture.pass(1_000)
        #expect(try fixture.schedules.find(schedule.id).version == 2)
        #expect(fixture.told == ["refused: There is no flag none"])
    }
}
