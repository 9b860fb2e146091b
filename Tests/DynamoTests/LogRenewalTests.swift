import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Bases that are made anew, and restores across them")
struct LogRenewalTests {
    private static let second = ContinuousBench.second
    private static let minute = ContinuousBench.minute
    private static let hour = ContinuousBench.hour
    private static let day = ContinuousBench.day

    /// Moments of a table, with what was in it.
    private struct Moments {
        private(set) var all: [(time: Int64, names: [String])] = []

        /// Notes the present one; the next write comes later.
        mutating func note(_ bench: ContinuousBench) throws {
            let names = try bench.store.items(TestTable.name).compactMap { $0["SK"]?.stringValue }
            all.append((bench.now, names))
            bench.pass(LogRenewalTests.second)
        }

        func check(_ bench: ContinuousBench, where isMeant: (Int64) -> Bool = { _ in true }) throws {
            for moment in all where isMeant(moment.time) {
                #expect(try bench.names(at: .time(moment.time)) == moment.names)
            }
            #expect(try bench.names(at: .latest) == all.last?.names)
        }
    }

    /// The changes that the last segment holds.
    private func logged(_ bench: ContinuousBench) throws -> [StoredChange] {
        let path = try #require(try bench.files("log-").last)
        let name = try #require(LogFileName(path[path.index(after: path.lastIndex(of: "/")!)...]))
        var reader = try LogSegmentReader(try StoredFile.open(path), after: name.sequence)
        var records: [StoredChange] = []
        while let piece = try reader.next() { if case .changes(let changes) = piece { records += changes } }
        return records
    }

    @Test("What is written while a base is made is restored from it and over it, also when what is before is gone")
    func concurrentWrites() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        try bench.turnOn()
        var moments = Moments()
        for week in 0..<8 {
            for number in 0..<120 { try bench.put("\(week)-\(number)") }
            try moments.note(bench)
            try bench.store.backups.archive.flush()
            bench.pass(8 * Self.day)
            // Between the end of the segment and the image, on the queue that makes both.
            let isBegun = Locked(false)
            device.watch { [store = bench.store] path in
                let isFirst = isBegun.withLock { isBegun in
                    defer { isBegun = true }
                    return !isBegun
                }
                if isFirst, path.hasSuffix(".log.part") {
                    try? store.put(TestTable.item("p", "\(week) between", ["owner": "o"]))
                }
                return true
            }
            try bench.store.backups.archive.flush()
            device.mend()
            try moments.note(bench)
            #expect(moments.all.last?.names.contains("\(week) between") == true)
        }
        let bases = try bench.files("base-")
        #expect((5...7).contains(bases.count))
        let oldest = try #require(try bench.state().restorable?.lowerBound)
        #expect(oldest == bench.now - 35 * Self.day)
        try moments.check(bench) { $0 >= oldest }
        try bench.reopen()
        try moments.check(bench) { $0 >= oldest }
        #expect(try bench.state().damages == [])
        #expect(try bench.store.verify().problems == [])
    }

    @Test("Changes that neither log nor stream has are lost from the last one before to the base behind, and no others")
    func gap() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        bench.pass(2 * Self.hour)
        var moments = Moments()
        for number in 0..<40 {
            try bench.put("\(number)")
            // A block each.
            try bench.store.backups.archive.flush()
            try moments.note(bench)
        }
        bench.pass(2 * Self.day)
        for number in 0..<4 {
            bench.pass(Self.minute)
            try bench.store.setSetting("turn", to: "\(number)")
        }
        #expect(try bench.store.changes(after: 0, limit: 100).map(\.sequence) == [40])
        let log = try #require(try bench.files("log-").last)
        var kept: [StoredChange] = []
        try bench.reopen {
            let bytes = try read(log)
            try write(Array(bytes.prefix(bytes.count * 3 / 4)), to: log)
            kept = try logged(bench)
        }
        let last = try #require(kept.last)
        #expect((20..<38).contains(last.sequence))
        bench.pass(Self.minute)
        let (lost, end) = (last.committedAt, try #require(moments.all.last?.time))
        #expect(try bench.state().damages.map(\.lost) == [lost...end - 1])
        #expect(try bench.files("base-").count == 2)
        for moment in moments.all where (lost..<end).contains(moment.time) {
            let error = #expect(throws: TableError.self) { try bench.names(at: .time(moment.time)) }
            guard case .backup(.lostRestoreTime) = error else {
                Issue.record("\(moment.time - lost): \(String(describing: error))")
                continue
            }
        }
        try moments.check(bench) { $0 < lost || $0 >= end }
        #expect(try bench.names(at: .time(lost - 1)).count == Int(last.sequence) - 1)
        // The window goes on, also from the next start on.
        try bench.put("later")
        try moments.note(bench)
        try bench.reopen()
        try moments.check(bench) { $0 < lost || $0 >= end }
        #expect(try bench.state().restorable == ContinuousBench.start...bench.now)
        #expect(try bench.files("base-").count == 2)
    }

    @Test("A log that lacks no more than the stream has goes on as it was: no base, no damage, every change once")
    func tornTails() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        bench.pass(2 * Self.hour)
        var moments = Moments()
        var random = SeededGenerator(seed: 31)
        for round in 0..<12 {
            for number in 0..<30 { try bench.put("\(round)-\(number)") }
            try moments.note(bench)
            try bench.reopen {
                let log = try #require(try bench.files("log-").last)
                let bytes = try read(log)
                switch round % 3 {
                case 0: try write(bytes + [UInt8](repeating: 3, count: Int.random(in: 1...90, using: &random)), to: log)
                case 1: try write(Array(bytes.dropLast(Int.random(in: 1...200, using: &random))), to: log)
                default: break
                }
            }
            try bench.store.backups.archive.flush()
            if round % 4 == 3 {
                // A base and a segment; of what is before, the stream has nothing any more.
                bench.pass(8 * Self.day)
                try bench.store.backups.archive.flush()
                for number in 0..<4 {
                    bench.pass(Self.minute)
                    try bench.store.setSetting("turn", to: "\(number)")
                }
            }
        }
        #expect(try bench.state().damages == [])
        #expect(try bench.files("base-").count == 4)
        try moments.check(bench)
        let records = try bench.store.verify()
        #expect(records.problems == [] && records.loggedChanges == 360)
    }

    @Test("A table that is kept for a day has a base a day, so that no more is kept")
    func shortPeriod() throws {
        let bench = try ContinuousBench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true, recoveryPeriodDays: 1)
        for _ in 0..<8 {
            for number in 0..<60 { try bench.put("\(number)", bench.now) }
            bench.pass(Self.day / 2 + Self.second)
            try bench.store.backups.archive.flush()
        }
        #expect((2...3).contains(try bench.files("base-").count))
        #expect((2...3).contains(try bench.files("log-").count))
        #expect(try bench.state().restorable == (bench.now - Self.day)...bench.now)
        #expect(try bench.names(at: .time(bench.now - Self.day)).count == 60)
    }
}
