import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Clocks that jump")
struct ClockTests {
    private static let second = ContinuousBench.second
    private static let minute = ContinuousBench.minute
    private static let hour = ContinuousBench.hour
    private static let day = ContinuousBench.day

    @Test("A clock that was two hours ahead for a moment leaves every other moment restorable as it was")
    func aheadForAMoment() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        try bench.put("0")
        bench.pass(Self.minute)
        try bench.put("1")
        let before = bench.now
        bench.pass(10 * Self.second)
        bench.set(by: 2 * Self.hour)
        try bench.put("ahead")
        try bench.store.backups.archive.flush()
        bench.pass(5 * Self.second)
        bench.set(by: -2 * Self.hour)
        bench.pass(Self.second)
        try bench.put("2")
        let corrected = bench.now
        var moments: [(time: Int64, names: [String])] = []
        for minute in 0..<60 {
            bench.pass(Self.minute)
            try bench.put("later-\(minute)")
            moments.append((bench.now, try bench.store.items(TestTable.name).compactMap { $0["SK"]?.stringValue }))
        }
        let state = try bench.state()
        #expect(state.restorable == ContinuousBench.start...bench.now)
        #expect(try bench.names(at: .time(before)) == ["0", "1"])
        #expect(try bench.names(at: .time(corrected)) == ["0", "1", "2", "ahead"])
        for moment in moments {
            #expect(try bench.names(at: .time(moment.time)) == moment.names)
            // Until the next write.
            if moment.time == bench.now { continue }
            #expect(try bench.names(at: .time(moment.time + 30 * Self.second)) == moment.names)
        }
        #expect(try bench.names(at: .latest) == moments.last?.names)
        #expect(try bench.store.verify().problems == [])
        // And after a restart, from a base that was made since.
        bench.pass(8 * Self.day)
        try bench.store.backups.archive.flush()
        try bench.reopen()
        #expect(try bench.names(at: .time(corrected)) == ["0", "1", "2", "ahead"])
        #expect(try bench.names(at: .time(bench.now)) == moments.last?.names)
    }

    @Test("A time that the clock has shown twice is refused with both moments, and restored to the one that is said")
    func shownTwice() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        for minute in 0..<10 {
            bench.pass(Self.minute)
            try bench.put("first-\(minute)")
        }
        let wanted = bench.now - 5 * Self.minute
        bench.set(by: -8 * Self.minute)
        for minute in 0..<20 {
            bench.pass(Self.minute)
            try bench.put("second-\(minute)")
        }
        let error = #expect(throws: TableError.self) { try bench.names(at: .time(wanted)) }
        guard case .backup(.ambiguousRestoreTime(wanted, let passes)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(passes.count == 2)
        #expect(error?.description.contains("--pass 1") == true)
        #expect(try bench.names(at: .time(wanted, pass: 1)).count == 5)
        #expect(try bench.names(at: .time(wanted, pass: 2)).count == 13)
        #expect(throws: TableError.self) { try bench.names(at: .time(wanted, pass: 3)) }
        // What it has shown once is meant without more words.
        #expect(try bench.names(at: .time(ContinuousBench.start + Self.minute)) == ["first-0"])
        #expect(try bench.names(at: .time(bench.now)).count == 30)
    }

    @Test("A clock that is set back by less than a second makes no time ambiguous: the later moment is meant")
    func setBackALittle() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        bench.pass(Self.second)
        try bench.put("1")
        let time = bench.now
        bench.set(by: -300)
        try bench.put("2")
        bench.pass(Self.second)
        #expect(try bench.names(at: .time(time)) == ["1", "2"])
        #expect(try bench.names(at: .time(time - 301)) == [])
    }

    @Test("A time over which the clock leapt is the moment before the leap")
    func leapt() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        bench.pass(Self.second)
        try bench.put("1")
        bench.set(by: Self.hour)
        try bench.put("2")
        #expect(try bench.names(at: .time(bench.now - Self.minute)) == ["1"])
        #expect(try bench.names(at: .time(bench.now)) == ["1", "2"])
    }

    @Test("A clock that was set back while nobody ran is noticed by the last change")
    func setBackBetween() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        bench.pass(Self.hour)
        try bench.put("1")
        try bench.reopen { bench.set(by: -2 * Self.hour) }
        bench.pass(Self.minute)
        try bench.put("2")
        bench.pass(Self.minute)
        #expect(try bench.names(at: .latest) == ["1", "2"])
        #expect(try bench.names(at: .time(bench.now)) == ["1", "2"])
        #expect(try bench.store.verify().problems == [])
    }

    @Test("Each jump of more than a second is told once, and nothing else")
    func told() throws {
        let bench = try ContinuousBench()
        let told = Locked<[Int64]>([])
        bench.store.subscribeToClockJumps { jump in told.withLock { $0.append(jump.distance) } }
        try bench.put("0")
        for number in 0..<20 {
            bench.pass(Self.hour)
            try bench.put("\(number)")
        }
        bench.set(by: 500)
        try bench.put("little")
        #expect(told.withLock { $0 } == [])
        bench.set(by: Self.day)
        // Also where nothing is written by what notices it.
        try bench.store.setSetting("a", to: "b")
        try bench.store.setSetting("a", to: "c")
        bench.set(by: -Self.day)
        try bench.put("back")
        try bench.put("and on")
        #expect(told.withLock { $0 } == [Self.day, -Self.day])
        // Nothing was written in between: no time has run backwards.
        #expect(bench.store.backups.store.time.history.jumps == [])
    }

    @Test("A clock that is ahead for a moment makes nothing old: neither changes nor bases are forgotten for it")
    func nothingForgotten() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        for day in 0..<30 {
            bench.pass(Self.day)
            for number in 0..<40 { try bench.put("\(number)", Int64(day)) }
            try bench.store.backups.archive.flush()
        }
        let bases = try bench.files("base-")
        let last = bench.store.lastSequence
        for distance in [40 * Self.day, -80 * Self.day, 400 * Self.day] {
            bench.set(by: distance)
            try bench.store.backups.archive.flush()
            for number in 0..<3 {
                try bench.put("wrong-\(number)", distance)
                bench.pass(Self.minute + Self.second)
                try bench.store.backups.archive.flush()
            }
            bench.set(by: -distance)
            try bench.put("right", distance)
            bench.pass(Self.minute + Self.second)
            try bench.store.backups.archive.flush()
        }
        #expect(Set(try bench.files("base-")).isSuperset(of: bases))
        // The changes of the last minutes, and the last day's before them.
        #expect(try bench.store.changes(after: last - 40, limit: 10_000).count == 40 + 12)
        #expect(try bench.names(at: .time(ContinuousBench.start + 10 * Self.day + 1)).count == 40)
        // What is old by the clock that nobody sets is forgotten all the same.
        for _ in 0..<50 {
            bench.pass(Self.day)
            try bench.put("on")
            try bench.store.backups.archive.flush()
        }
        #expect(try bench.store.changes(after: 0, limit: 10_000).count < 10)
        #expect(!Set(try bench.files("base-")).isSuperset(of: bases.prefix(1)))
        #expect(try bench.store.verify().problems == [])
    }

    @Test("A machine that begins with a clock ahead and has it put right within the hour forgets nothing")
    func aheadAtTheStart() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        for number in 0..<40 { try bench.put("\(number)") }
        bench.pass(Self.hour)
        try bench.reopen { bench.set(by: 50 * Self.day) }
        bench.pass(10 * Self.minute)
        try bench.put("ahead")
        try bench.store.backups.archive.flush()
        bench.set(by: -50 * Self.day)
        bench.pass(2 * Self.hour)
        try bench.put("right")
        try bench.store.backups.archive.flush()
        #expect(try bench.store.changes(after: 0, limit: 100).count == 42)
        #expect(try bench.names(at: .time(ContinuousBench.start + 1)).count == 40)
        #expect(try bench.names(at: .time(bench.now)).count == 42)
    }
}
