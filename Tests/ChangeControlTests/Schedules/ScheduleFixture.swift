import Access
import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import FlagStore
import JSON
import Platform
import TableEngine
import TestSupport

@testable import ChangeControl

/// Clocks that a test sets, and waiting that ends when it says so.
final class TestClocks: Sendable {
    private struct State {
        var wall: Int64
        var clock: Int64 = 1_000
        var waiting: [(queue: DispatchQueue, body: @Sendable () -> Void)] = []
        var pauses: [Int] = []
    }

    private let state: Locked<State>

    init(_ start: Timestamp = ScheduleFixture.start) { state = Locked(State(wall: start.millisecondsSinceEpoch)) }

    /// The wall clock.
    var now: Timestamp { Timestamp(millisecondsSinceEpoch: state.withLock { $0.wall }) }
    /// The one that nobody sets.
    var clock: Int64 { state.withLock { $0.clock } }
    /// How long was waited, each time.
    var pauses: [Int] { state.withLock { $0.pauses } }

    var delay: Delay {
        Delay { [state] milliseconds, queue, body in
            state.withLock { state in
                state.waiting.append((queue, body))
                state.pauses.append(milliseconds)
            }
        }
    }

    /// Lets time pass, by both clocks.
    func pass(_ milliseconds: Int64) {
        state.withLock { state in
            state.wall += milliseconds
            state.clock += milliseconds
        }
    }

    /// Sets the wall clock, forward or back.
    func set(by milliseconds: Int64) { state.withLock { $0.wall += milliseconds } }

    /// Ends all waiting.
    func wake() {
        let over = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for (queue, body) in over { queue.async(execute: body) }
    }
}

/// Flags and schedules in a store, and a timer whose clocks a test sets.
final class ScheduleFixture: Sendable {
    static let start = Timestamp(rfc3339: "2026-03-29T00:00:00Z")!
    static let author = Principal(.key, "author")

    let store: any TableStore
    let repository: FlagRepository
    let schedules: ScheduleStore
    let clocks: TestClocks
    let timer: ScheduleTimer
    private let reported = Locked<[String]>([])

    /// - Parameters:
    ///   - store: where everything is; nil for a store in memory.
    ///   - starts: whether the timer begins now.
    init(
        _ store: (any TableStore)? = nil, _ clocks: TestClocks = TestClocks(), starts: Bool = true,
        caller: @escaping @Sendable (Principal, Timestamp) -> Caller? = { principal, _ in
            Caller(principal, everywhere: .all)
        },
        change: (inout ScheduleTimer.Surroundings) -> Void = { _ in }
    ) throws {
        let store = try store ?? SQLiteTableStore.open(.memory)
        self.store = store
        self.clocks = clocks
        repository = FlagRepository(store: store, table: "feature-flags-local")
        try repository.createTableIfMissing()
        schedules = ScheduleStore(store: store)
        var surroundings = ScheduleTimer.Surroundings(
            schedules, repository, listed: { _, _ in .empty }, caller: caller, now: { clocks.now })
        surroundings.clock = { clocks.clock }
        surroundings.timing.delay = clocks.delay
        surroundings.report = { [reported] event in
            reported.withLock { $0.append(event.inWords) }
        }
        change(&surroundings)
        timer = ScheduleTimer(surroundings)
        if starts { start() }
    }

    /// What was told so far.
    var told: [String] { reported.withLock { $0 } }

    /// Begins, and awaits that what is due is done.
    func start() {
        timer.start()
        settle()
    }

    /// Awaits that the timer has done what it was woken for.
    func settle() {
        // What it does may wake it once more.
        for _ in 0..<4 { timer.queue.sync {} }
    }

    /// Lets time pass by both clocks, and awaits what follows.
    func pass(_ milliseconds: Int64) {
        clocks.pass(milliseconds)
        clocks.wake()
        settle()
    }

    /// Sets the wall clock, and awaits what follows.
    func set(by milliseconds: Int64) {
        clocks.set(by: milliseconds)
        clocks.wake()
        settle()
    }

    /// Changes flags now.
    @discardableResult
    func apply(_ operation: FlagOperation) throws -> Written {
        try repository.applyAndWait(
            operation, in: .server("tests", in: .development, at: clocks.now),
            listed: timer.surroundings.listed)
    }

    func createFlag(_ key: String = "checkout", enabled: Bool = false) throws {
        try apply(
            FlagOperation(
                .createFlag,
                body: [
                    "flagKey": .string(key), "description": "d", "owner": "o", "defaultEnabled": .bool(enabled),
                ]))
    }

    /// What is stored of a flag.
    func flag(_ key: String = "checkout") throws -> FlagRecord {
        try repository.reader(for: .server("tests", in: .development)).flag(key)
    }

    /// Whether a simple flag is on.
    func isOn(_ key: String = "checkout") throws -> Bool {
        try flag(key).json(at: clocks.now)["defaultEnabled"]?.boolValue ?? false
    }

    /// Turns a flag on or off, later.
    static func turning(_ key: String = "checkout", on: Bool = true, expecting: Int64? = nil) throws -> FlagOperation {
        try FlagOperation(
            .patchFlag, of: key, body: ["defaultEnabled": .bool(on), "reason": "go live"], expecting: expecting)
    }

    /// Schedules something so many milliseconds from now.
    @discardableResult
    func schedule(
        _ operation: FlagOperation, in milliseconds: Int64, onConflict: Schedule.ConflictRule = .refuse
    ) throws -> Schedule {
        try schedule(
            operation, at: Timestamp(millisecondsSinceEpoch: clocks.now.millisecondsSinceEpoch + milliseconds),
            onConflict)
    }

    @discardableResult
    func schedule(
        _ operation: FlagOperation, at time: Timestamp, _ onConflict: Schedule.ConflictRule = .refuse
    ) throws -> Schedule {
        let change = PlannedChange(operation, in: .development, by: Self.author, at: clocks.now)
        let schedule = Schedule(change, at: time, onConflict: onConflict, id: ChangeID.make(at: clocks.now))
        try schedules.add(schedule, by: Self.author)
        settle()
        return schedule
    }

    /// What has become of a schedule.
    func state(of schedule: Schedule) throws -> Schedule.State { try schedules.find(schedule.id).state }
}

extension ScheduleEvent {
    /// What is told, in short.
    var inWords: String {
        switch self {
        case .ended(let schedule):
            schedule.state.rawValue + (schedule.isLate ? " late" : "")
                + (schedule.end?.detail.map { ": \($0)" } ?? "")
        case .retried(_, let reason, let failures): "retried \(failures): \(reason)"
        case .damaged: "damaged"
        case .unreadable(let reason, let failures): "unreadable \(failures): \(reason)"
        }
    }
}
