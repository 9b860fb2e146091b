import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Continuous backups")
struct ContinuousBackupTests {
    private static let start = ContinuousBench.start
    private static let day = ContinuousBench.day

    private typealias Bench = ContinuousBench

    @Test("A table is restored as it was at each moment, whatever was written since", arguments: StoreKind.allCases)
    func everyMoment(_ kind: StoreKind) throws {
        let bench = try Bench(kind)
        var random = SeededGenerator(seed: 5)
        for number in 0..<20 { try bench.put("\(number)") }
        bench.pass(1)
        let began = try #require(
            try bench.store.setContinuousBackups(of: TestTable.name, enabled: true).restorable?.lowerBound)
        var moments: [(time: Int64, items: [Item])] = [(began, try bench.store.items(TestTable.name))]
        for _ in 0..<60 {
            bench.pass(Int64.random(in: 1...3000, using: &random))
            var operations: [WriteOperation] = []
            for name in Set((0..<4).map { _ in "\(Int.random(in: 0..<30, using: &random))" }) {
                let key = TestTable.key("p", name)
                operations.append(
                    Bool.random(using: &random)
                        ? .delete(table: TestTable.name, key: key)
                        : .update(table: TestTable.name, key: key, actions: [.add("n", 1), .set("owner", .value("x"))]))
            }
            try bench.store.transactAndWait(operations, principal: .anonymous)
            moments.append((bench.now, try bench.store.items(TestTable.name)))
        }
        bench.pass(10_000)
        for (index, moment) in moments.enumerated() where index % 4 == 0 {
            #expect(try bench.items(at: .time(moment.time)) == moment.items)
            // A millisecond before the next write, too.
            if index + 1 < moments.count, moments[index + 1].time > moment.time + 1 {
                #expect(try bench.items(at: .time(moments[index + 1].time - 1)) == moment.items)
            }
        }
        #expect(try bench.items(at: .latest) == moments.last?.items)
        #expect(try bench.store.listBackups(BackupFilter()).isEmpty)
        let report = try bench.store.verify()
        #expect(report.problems == [])
        #expect(report.loggedChanges > 50)
    }

    @Test("Times outside of the restorable ones are refused, and tables without continuous backups")
    func refusals() throws {
        let bench = try Bench()
        #expect(try !bench.store.continuousBackups(of: TestTable.name).isEnabled)
        func restore(_ point: RestorePoint) throws {
            _ = try bench.store.restore(
                table: TestTable.name, at: point, to: "copy", replacing: false, adjust: { $0 }, completion: { _ in })
        }
        #expect(throws: TableError.backup(.pointInTimeUnavailable(table: TestTable.name))) { try restore(.latest) }
        #expect(throws: TableError.tableNotFound("none")) {
            try bench.store.setContinuousBackups(of: "none", enabled: true)
        }
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        bench.pass(5000)
        let range = try #require(try bench.store.continuousBackups(of: TestTable.name).restorable)
        #expect(range == Self.start...(Self.start + 5000))
        for time in [range.lowerBound - 1, range.upperBound + 1] {
            #expect(
                throws: TableError.backup(.invalidRestoreTime(earliest: range.lowerBound, latest: range.upperBound))
            ) { try restore(.time(time)) }
        }
        // Twice is as once, and off is off.
        #expect(try bench.store.setContinuousBackups(of: TestTable.name, enabled: true).restorable == range)
        #expect(try bench.store.setContinuousBackups(of: TestTable.name, enabled: false).restorable == nil)
        #expect(try !bench.store.continuousBackups(of: TestTable.name).isEnabled)
        #expect(throws: TableError.backup(.pointInTimeUnavailable(table: TestTable.name))) { try restore(.latest) }
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        #expect(try bench.store.continuousBackups(of: TestTable.name).restorable?.lowerBound == bench.now)
    }

    @Test("The log goes on after a restart, with what was written before it and with a base a week")
    func restarts() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        var moments: [(time: Int64, items: [Item])] = []
        for round in 0..<6 {
            for number in 0..<200 { try bench.put("\(number)", Int64(round)) }
            moments.append((bench.now, try bench.store.items(TestTable.name)))
            bench.pass(3 * Self.day)
            try bench.reopen()
            #expect(try bench.store.verify().problems == [])
        }
        #expect(try bench.files("base-").count >= 2)
        for moment in moments { #expect(try bench.items(at: .time(moment.time)) == moment.items) }
    }

    @Test("Nothing is restorable after 35 days, what is needed for that is removed, and 35 days are restorable")
    func retention() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        var moments: [(time: Int64, items: [Item])] = []
        for round in 0..<60 {
            for number in 0..<40 { try bench.put("\(number)", Int64(round)) }
            moments.append((bench.now, try bench.store.items(TestTable.name)))
            bench.pass(Self.day)
            try bench.store.backups.archive.flush()
        }
        let range = try #require(try bench.store.continuousBackups(of: TestTable.name).restorable)
        #expect(range == (bench.now - 35 * Self.day)...bench.now)
        for moment in moments where range.contains(moment.time) && moment.time % 5 == 0 {
            #expect(try bench.items(at: .time(moment.time)) == moment.items)
        }
        #expect((5...8).contains(try bench.files("base-").count))
        #expect((5...9).contains(try bench.files("log-").count))
        #expect(try bench.store.verify().problems == [])
    }

    @Test("A write to the log that was cut off anywhere is made up for from the change stream")
    func tornLog() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        var random = SeededGenerator(seed: 6)
        for round in 0..<20 {
            bench.pass(10)
            for number in 0..<10 { try bench.put("\(number)", Int64(round)) }
            try bench.reopen {
                let log = try #require(try bench.files("log-").last)
                var bytes = try read(log)
                switch round % 3 {
                case 0: bytes.removeLast(Int.random(in: 0..<min(bytes.count - 40, 300), using: &random))
                case 1: for index in bytes.indices.suffix(20) where index > 40 { bytes[index] = 0 }
                default: bytes += [UInt8](repeating: 0, count: 100)
                }
                try write(bytes, to: log)
            }
            #expect(try bench.store.verify().problems == [])
        }
        let items = try bench.store.items(TestTable.name)
        #expect(try bench.items(at: .latest) == items)
        #expect(try bench.store.continuousBackups(of: TestTable.name).restorable?.lowerBound == Self.start)
    }

    @Test("A table is restorable for as many days back as was said, and after a restart")
    func recoveryPeriod() throws {
        let bench = try Bench()
        let table = TestTable.name
        _ = try bench.store.setContinuousBackups(of: table, enabled: true)
        for number in 0..<20 {
            bench.pass(Self.day)
            try bench.put("\(number)")
            try bench.store.backups.archive.flush()
        }
        #expect(try bench.store.continuousBackups(of: table).restorable?.lowerBound == Self.start)
        let shortened = try bench.store.setContinuousBackups(of: table, enabled: true, recoveryPeriodDays: 3)
        #expect(shortened.recoveryPeriodDays == 3)
        #expect(shortened.restorable?.lowerBound == bench.now - 3 * Self.day)
        try bench.reopen {}
        #expect(try bench.store.continuousBackups(of: table) == shortened)
        #expect(try bench.items(at: .time(bench.now - 2 * Self.day)).count == 18)
        #expect(throws: TableError.self) { try bench.items(at: .time(bench.now - 4 * Self.day)) }
        _ = try bench.store.setContinuousBackups(of: table, enabled: false)
        _ = try bench.store.setContinuousBackups(of: table, enabled: true)
        #expect(try bench.store.continuousBackups(of: table).recoveryPeriodDays == 35)
        #expect(try bench.store.verify().problems == [])
    }

    @Test("Where the change stream cannot make up for what a log has lost, a base behind it is made, and it is told")
    func gap() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        for number in 0..<100 { try bench.put("\(number)") }
        bench.pass(2 * Self.day)
        try bench.store.backups.archive.flush()
        let (early, earlyItems) = (bench.now, try bench.store.items(TestTable.name))
        // Now the old changes may be forgotten.
        for number in 0..<10 {
            bench.pass(Self.day)
            try bench.put("later", Int64(number))
            try bench.store.backups.archive.flush()
        }
        let life = try bench.store.setting("continuous.\(TestTable.name)")
        let log = try #require(try bench.files("log-").first)
        try bench.reopen {
            try write(Array(try read(log).prefix(60)), to: log)
            for other in try bench.files("log-").dropFirst() { unlink(other) }
        }
        let state = try bench.store.continuousBackups(of: TestTable.name)
        #expect(try bench.store.setting("continuous.\(TestTable.name)") == life)
        #expect(state.restorable == Self.start...bench.now)
        #expect(state.damages.contains { $0.lost?.contains(early) ?? false })
        #expect(state.damages.allSatisfy { $0.lost?.contains(bench.now) != true })
        #expect(throws: TableError.self) { try bench.items(at: .time(early)) }
        #expect(try bench.items(at: .time(Self.start)) == [])
        #expect(try bench.items(at: .latest) == (try bench.store.items(TestTable.name)))
        #expect(earlyItems.count == 100)
        #expect(access(log.replacing(".log", with: ".damaged"), F_OK) == 0)
        #expect(try bench.store.verify().problems.count == state.damages.count)
    }

    @Test("Changes stay in the stream until they are in the log, however old they are")
    func streamWaits() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        // Somebody else has the logs: they cannot follow.
        try bench.reopen()
        let (time, elapsed) = (bench.time, bench.elapsed)
        let other = try SQLiteTableStore.open(
            .directory(bench.directory.path), elapsed: { elapsed.withLock { $0 } }, clock: { time.withLock { $0 } })
        defer { other.close() }
        try bench.store.backups.archive.flush()
        for number in 0..<10 {
            try other.put(TestTable.item("p", "\(number)"))
        }
        #expect(throws: TableError.self) { try other.backups.archive.flush() }
        #expect(other.backupTrouble?.description.contains("another process") == true)
        bench.pass(9 * Self.day)
        for number in 0..<4 {
            bench.pass(60_000)
            try other.setSetting("turn", to: "\(number)")
        }
        #expect(try other.changes(after: 0, limit: 100).count == 10)
        try bench.store.deliverForeignChanges()
        #expect(try bench.items(at: .latest).count == 10)
    }

    @Test("A table that is deleted leaves a backup, and one of its name begins anew")
    func deletion() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.put("old")
        let life = try bench.files("base-")
        try bench.store.deleteTable(TestTable.name)
        try bench.store.createTable(TestTable.schema)
        #expect(try !bench.store.continuousBackups(of: TestTable.name).isEnabled)
        try bench.put("new")
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.put("newer")
        #expect(try bench.items(at: .latest).count == 2)
        #expect(try bench.store.changes(after: 0, limit: 10).count == 2)
        #expect(try bench.store.verify().problems == [])
        // Its own log stays for as long as it was promised.
        #expect(access(life[0], F_OK) == 0)
        let kept = try #require(try bench.store.listBackups(BackupFilter()).first?.description)
        #expect(kept.kind == .system && kept.name == "things$DeletedTableBackup" && kept.table.content.items == 1)
    }

    @Test("A replaced table has continuous backups as before, which begin with the new content")
    func replacing() throws {
        let bench = try Bench()
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.put("good")
        bench.pass(1000)
        let moment = bench.now
        bench.pass(1000)
        try bench.put("bad")
        _ = try restored {
            _ = try bench.store.restore(
                table: TestTable.name, at: .time(moment), to: TestTable.name, replacing: true, adjust: { $0 },
                completion: $0)
        }
        #expect(try bench.store.items(TestTable.name).count == 1)
        bench.pass(1000)
        try bench.put("better")
        #expect(try bench.items(at: .latest).count == 2)
        #expect(try bench.store.continuousBackups(of: TestTable.name).restorable?.contains(bench.now) == true)
        #expect(try bench.store.verify().problems == [])
        #expect(try bench.store.restoreSummary(TestTable.name)?.restoredTo == moment)
    }

    @Test("A life of the log that ended is kept for 35 days, and a life that goes on for longer")
    func oldLives() throws {
        let bench = try Bench()
        let now = SystemClock.wallMilliseconds
        bench.time.withLock { $0 = now }
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.put("1")
        try bench.store.backups.archive.flush()
        let ended = bench.directory.path + "/continuous/0123456789abcdef"
        try #require(mkdir(ended, 0o700) == 0)
        try write([1], to: ended + "/log-00000000000000000000.log")
        bench.pass(34 * Self.day)
        bench.store.backups.removeExpired()
        #expect(access(ended, F_OK) == 0)
        bench.pass(2 * Self.day)
        bench.store.backups.removeExpired()
        #expect(access(ended, F_OK) != 0)
        #expect(try !bench.files("log-").isEmpty)
        #expect(try bench.items(at: .latest).count == 1)
    }
}
