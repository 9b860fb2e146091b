import Access
import DynamoModel
import FlagCore
import FlagStore
import JSON
import Platform
import TableEngine
import TestSupport
import Testing

@testable import ChangeControl

@Suite("Schedules, applied")
struct ScheduleTimerTests {
    private static let minute: Int64 = 60_000
    private static let hour: Int64 = 3_600_000

    @Test("A change is made when its time comes, by its author, for their reason, and once")
    func applied() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 10_000)
        fixture.pass(9_999)
        #expect(try !fixture.isOn() && fixture.state(of: schedule) == .waiting)
        #expect(fixture.timer.statistics.waiting == 1 && fixture.timer.statistics.next == schedule.at)
        fixture.pass(1)
        #expect(try fixture.isOn() && fixture.state(of: schedule) == .applied)
        #expect(fixture.told == ["applied"])
        let changes = try fixture.store.changes(after: 0, limit: 1_000)
        let change = try #require(changes.last { $0.table == "feature-flags-local" })
        #expect(change.principal == ScheduleFixture.author)
        #expect(change.principal.circumstances?.cause == "schedule \(schedule.id)")
        #expect(change.principal.circumstances?.reason == "go live")
        // Nothing more comes of it, whatever time it is.
        for _ in 0..<3 {
            fixture.pass(Self.minute)
            fixture.set(by: -Self.minute)
        }
        #expect(try fixture.flag().version == 2)
        #expect(fixture.timer.statistics.applied == 1 && fixture.timer.statistics.waiting == 0)
    }

    @Test("A clock that jumps forward and back makes each change once")
    func jumpingClock() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let first = try fixture.schedule(ScheduleFixture.turning(on: true), in: Self.minute, onConflict: .force)
        let second = try fixture.schedule(
            ScheduleFixture.turning(on: false), in: 30 * Self.hour, onConflict: .force)
        let third = try fixture.schedule(
            ScheduleFixture.turning(on: true), in: 60 * Self.hour, onConflict: .force)
        fixture.set(by: -10 * Self.hour)
        fixture.pass(2 * Self.minute)
        #expect(try fixture.state(of: first) == .waiting)
        fixture.set(by: 50 * Self.hour)
        #expect(try fixture.state(of: first) == .applied && fixture.state(of: second) == .applied)
        #expect(try !fixture.isOn() && fixture.flag().version == 3)
        fixture.set(by: -40 * Self.hour)
        fixture.pass(20 * Self.minute)
        #expect(try fixture.flag().version == 3 && fixture.state(of: third) == .waiting)
        fixture.set(by: 90 * Self.hour)
        #expect(try fixture.isOn() && fixture.flag().version == 4 && fixture.state(of: third) == .applied)
    }

    @Test("A wall time that comes twice when summer time ends is two instants, and one that never comes is one")
    func summerTime() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        // Berlin: 2026-03-29, when 02:00 became 03:00, and 2026-10-25, when 03:00 became 02:00.
        let never = try #require(Timestamp(rfc3339: "2026-03-29T02:30:00+01:00"))
        let same = try #require(Timestamp(rfc3339: "2026-03-29T03:30:00+02:00"))
        #expect(never == same)
        let first = try fixture.schedule(
            ScheduleFixture.turning(on: true), at: #require(Timestamp(rfc3339: "2026-10-25T02:30:00+02:00")), .force)
        let second = try fixture.schedule(
            ScheduleFixture.turning(on: false), at: #require(Timestamp(rfc3339: "2026-10-25T02:30:00+01:00")), .force)
        #expect(second.at.millisecondsSinceEpoch - first.at.millisecondsSinceEpoch == Self.hour)
        fixture.pass(first.at.millisecondsSinceEpoch - fixture.clocks.now.millisecondsSinceEpoch - 1)
        #expect(try !fixture.isOn())
        fixture.pass(1)
        #expect(try fixture.isOn())
        fixture.pass(Self.hour - 1)
        #expect(try fixture.isOn() && fixture.state(of: second) == .waiting)
        fixture.pass(1)
        #expect(try !fixture.isOn() && fixture.flag().version == 3)
    }

    @Test("What became due while nothing ran is applied at once and called late, or skipped and told")
    func restart() throws {
        let directory = try TemporaryDirectory()
        let clocks = TestClocks()
        var made: [Schedule] = []
        do {
            let store = try SQLiteTableStore.open(.directory(directory.path))
            let fixture = try ScheduleFixture(store, clocks)
            try fixture.createFlag("old")
            try fixture.createFlag("new")
            try fixture.createFlag("next")
            made = [
                try fixture.schedule(ScheduleFixture.turning("old"), in: Self.minute),
                try fixture.schedule(ScheduleFixture.turning("new"), in: 2 * Self.hour),
                try fixture.schedule(ScheduleFixture.turning("next"), in: 4 * Self.hour),
            ]
            fixture.timer.stop()
            store.close()
        }
        clocks.pass(2 * Self.hour + 10 * Self.minute)
        let store = try SQLiteTableStore.open(.directory(directory.path))
        let fixture = try ScheduleFixture(store, clocks)
        #expect(try made.map { try fixture.state(of: $0) } == [.skipped, .applied, .waiting])
        #expect(try !fixture.isOn("old") && fixture.isOn("new") && !fixture.isOn("next"))
        #expect(fixture.told.count == 2 && fixture.told[0].hasPrefix("skipped: it was due while"))
        #expect(fixture.told[1] == "applied late")
        #expect(try fixture.schedules.find(made[1].id).json["late"] == true)
        #expect(fixture.timer.statistics.late == 1 && fixture.timer.statistics.skipped == 1)
        fixture.timer.stop()
        store.close()
    }

    @Test(
        "Where the flag was changed since, a change is refused or forced, as was chosen",
        arguments: [(Schedule.ConflictRule.refuse, Schedule.State.refused), (.force, .applied)])
    func conflict(rule: Schedule.ConflictRule, state: Schedule.State) throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let operation = try ScheduleFixture.turning(expecting: rule == .refuse ? 1 : nil)
        let schedule = try fixture.schedule(operation, in: 1_000, onConflict: rule)
        try fixture.apply(FlagOperation(.patchFlag, of: "checkout", body: ["owner": "p"]))
        fixture.pass(1_000)
        #expect(try fixture.state(of: schedule) == state)
        #expect(try fixture.isOn() == (state == .applied))
        if state == .refused {
            #expect(fixture.told == ["refused: the flag checkout was changed after this was scheduled"])
        }
    }

    @Test("Of an override, the time when it was set stands for its version")
    func overrideConflict() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let body: JSONValue = ["enabled": true, "updatedBy": "me"]
        let reader = fixture.repository.reader(for: .server("tests", in: .development))
        func setting(_ tenant: String) throws -> FlagOperation {
            var operation = try FlagOperation(.setOverride, of: "checkout", tenant: tenant, body: body)
            operation.expectedVersion = try reader.version(of: operation.subject)
            return operation
        }
        let untouched = try fixture.schedule(setting("a"), in: 1_000)
        let touched = try fixture.schedule(setting("b"), in: 1_000)
        try fixture.apply(FlagOperation(.setOverride, of: "checkout", tenant: "b", body: body))
        fixture.pass(1_000)
        #expect(try fixture.state(of: untouched) == .applied && fixture.state(of: touched) == .refused)
        let removal = try FlagOperation(
            .removeOverride, of: "checkout", tenant: "a", expecting: reader.version(of: setting("a").subject))
        let removed = try fixture.schedule(removal, in: 1_000)
        fixture.pass(1_000)
        #expect(try fixture.state(of: removed) == .applied)
        #expect(try reader.version(of: removal.subject) == 0)
    }

    @Test("Whoever may not do it any more when its time comes, has it refused")
    func rights() throws {
        let may = Locked<Caller?>(Caller(ScheduleFixture.author, everywhere: .all))
        let fixture = try ScheduleFixture(caller: { _, _ in may.withLock { $0 } })
        try fixture.createFlag()
        for caller in [
            nil, Caller(ScheduleFixture.author, everywhere: .read),
            Caller(ScheduleFixture.author) { $0 == .staging ? .all : .read },
            Caller(ScheduleFixture.author, tenant: "acme") { _ in .all },
        ] as [Caller?] {
            let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000, onConflict: .force)
            may.withLock { $0 = caller }
            fixture.pass(1_000)
            #expect(try fixture.state(of: schedule) == .refused)
        }
        #expect(try !fixture.isOn())
        #expect(fixture.told.allSatisfy { $0 == "refused: key author may not change flags in development any more" })
        #expect(fixture.timer.statistics.refused == 4)
    }

    @Test("What keeps changes from being made keeps schedules from being applied, and says why")
    func obstacle() throws {
        let fixture = try ScheduleFixture(change: { $0.obstacle = { change, _ in "frozen: \(change.environment)" } })
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        fixture.pass(1_000)
        #expect(try fixture.state(of: schedule) == .refused && !fixture.isOn())
        #expect(fixture.told == ["refused: frozen: development"])
    }

    @Test("One that is taken back at the very moment when it is applied is not applied")
    func cancelledMeanwhile() throws {
        let hook = Locked<@Sendable () -> Void>({})
        let fixture = try ScheduleFixture(caller: { principal, _ in
            hook.withLock { $0 }()
            return Caller(principal, everywhere: .all)
        })
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        // After it was read, and before it is applied.
        hook.withLock {
            $0 = { [schedules = fixture.schedules, clocks = fixture.clocks] in
                let cancelled = schedule.ended(.cancelled, at: clocks.now, by: .anonymous)
                #expect(throws: Never.self) { try schedules.replace(schedule, by: cancelled, as: .anonymous) }
            }
        }
        fixture.pass(1_000)
        #expect(try fixture.state(of: schedule) == .cancelled && !fixture.isOn() && fixture.flag().version == 1)
        #expect(fixture.told.isEmpty && fixture.timer.statistics.waiting == 0)
    }

    @Test("One that is given another time is applied then, and not before")
    func rescheduled() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        let later = schedule.rescheduled(
            schedule.change, at: Timestamp(millisecondsSinceEpoch: schedule.at.millisecondsSinceEpoch + 5_000),
            onConflict: .refuse, by: .anonymous, now: fixture.clocks.now)
        try fixture.schedules.replace(schedule, by: later, as: .anonymous)
        #expect(throws: ScheduleError.overtaken(schedule.id)) {
            try fixture.schedules.replace(schedule, by: later, as: .anonymous)
        }
        fixture.pass(1_000)
        #expect(try !fixture.isOn())
        fixture.pass(5_000)
        #expect(try fixture.isOn())
    }

    @Test("What is stored of one that cannot be read stays as it is, is told, and keeps no other from being applied")
    func damaged() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let broken = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        let whole = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        var item = broken.item
        item[ScheduleAttribute.record] = .string("{}")
        try fixture.store.transactAndWait([.put(table: ChangeControlTable.name, item: item)], principal: .anonymous)
        fixture.pass(1_000)
        fixture.pass(1_000)
        #expect(try fixture.isOn() && fixture.state(of: whole) == .applied)
        #expect(fixture.told.filter { $0 == "damaged" }.count == 1)
        #expect(try fixture.store.getItem(table: ChangeControlTable.name, key: broken.key) == item)
        #expect(fixture.timer.statistics.damaged == 1)
    }

    @Test("Those that have ended are kept for 90 days")
    func kept() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        let old = try fixture.schedule(ScheduleFixture.turning(), in: 1_000, onConflict: .force)
        fixture.pass(1_000)
        let new = try fixture.schedule(ScheduleFixture.turning(on: false), in: 90 * 24 * Self.hour, onConflict: .force)
        fixture.pass(90 * 24 * Self.hour)
        #expect(try fixture.state(of: old) == .applied && fixture.state(of: new) == .applied)
        let last = try fixture.schedule(ScheduleFixture.turning(), in: 1_000, onConflict: .force)
        fixture.pass(1_000)
        #expect(throws: ScheduleError.notFound(old.id)) { try fixture.schedules.find(old.id) }
        #expect(try fixture.state(of: new) == .applied && fixture.state(of: last) == .applied)
    }

    @Test("What waits for the wall clock is looked at twice a second, and nothing is looked at where nothing waits")
    func pauses() throws {
        let fixture = try ScheduleFixture()
        try fixture.createFlag()
        #expect(fixture.clocks.pauses.isEmpty)
        try fixture.schedule(ScheduleFixture.turning(), in: 700)
        fixture.pass(500)
        fixture.pass(200)
        #expect(fixture.clocks.pauses == [500, 200])
        #expect(try fixture.isOn())
    }
}
