import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What must stay in the change stream, and what must not")
struct StreamNeedTests {
    private static let minute = ContinuousBench.minute
    private static let hour = ContinuousBench.hour
    private static let day = ContinuousBench.day
    private static let other = "other"

    /// Lets changes go that are old enough, however many turns that takes.
    private func prune(_ bench: ContinuousBench) throws {
        for number in 0..<8 {
            bench.pass(Self.minute)
            try bench.store.setSetting("turn", to: "\(number)")
        }
    }

    private func createOther(_ bench: ContinuousBench) throws {
        try bench.store.createTable(
            TableSchema(name: Self.other, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"), indexes: []))
    }

    /// Writes items of the other table, each of which is a change.
    private func putOther(_ bench: ContinuousBench, _ count: Int) throws {
        let number = AttributeValue.number(bench.store.lastSequence)
        for first in stride(from: 0, to: count, by: 100) {
            try bench.store.transactAndWait(
                (first..<min(count, first + 100)).map {
                    .put(table: Self.other, item: TestTable.item("o", "\($0)", ["n": number]))
                }, principal: .anonymous)
        }
    }

    private func first(_ bench: ContinuousBench) throws -> Int64? {
        try bench.store.changes(after: 0, limit: 1).first?.sequence
    }

    /// The continuous backups that a start finds on the files as they are now, which must be whole.
    private func backupsLeft(by bench: ContinuousBench) throws -> ContinuousBackups {
        let left = try TemporaryDirectory()
        let again = try store(leftBy: bench, in: left)
        defer { again.close() }
        try again.backups.archive.flush()
        let backups = try again.continuousBackups(of: TestTable.name)
        #expect(backups.damages == [])
        #expect(try again.verify().problems == [])
        return backups
    }

    @Test("What a log lacks stays, however old it becomes, and goes when the log has it")
    func waiting() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        try bench.turnOn()
        bench.pass(2 * Self.hour)
        for number in 0..<5 { try bench.put("in the log, \(number)") }
        try bench.store.backups.archive.flush()
        device.watch { !$0.contains("/log-") }
        for number in 0..<20 { try bench.put("waits, \(number)") }
        #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
        bench.pass(3 * Self.day)
        try prune(bench)
        #expect(try first(bench) == 6)
        #expect(try bench.store.changes(after: 0, limit: 100).count == 20)
        // Another start finds the one where the other ends.
        try bench.reopen()
        try bench.store.backups.archive.flush()
        #expect(bench.store.backupTrouble == nil)
        bench.pass(2 * Self.hour)
        try prune(bench)
        #expect(try first(bench) == 25)
        #expect(try bench.items(at: .latest).count == 25)
        #expect(try bench.state().damages == [])
        #expect(try bench.store.verify().problems == [])
    }

    @Test("Where the log of one table cannot even be opened, everything stays, for it may be needed")
    func unopened() throws {
        let bench = try ContinuousBench()
        try createOther(bench)
        try bench.turnOn()
        _ = try bench.store.setContinuousBackups(of: Self.other, enabled: true)
        for number in 0..<5 { try bench.put("\(number)") }
        try bench.store.backups.archive.flush()
        let log = try #require(try bench.files("log-").first)
        let folder = String(log[..<(try #require(log.lastIndex(of: "/")))])
        try bench.reopen {
            try #require(rename(folder, folder + ".elsewhere") == 0)
            try write([1], to: folder)
        }
        bench.pass(2 * Self.hour)
        for number in 5..<9 { try bench.put("\(number)") }
        #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
        bench.pass(3 * Self.day)
        try prune(bench)
        #expect(try first(bench) == 1)
        try bench.reopen {
            unlink(folder)
            try #require(rename(folder + ".elsewhere", folder) == 0)
        }
        #expect(try bench.items(at: .latest).count == 9)
        #expect(try bench.state().damages == [])
    }

    @Test("Of thousands of old changes a write removes a thousand, and the next one goes on at once")
    func many() throws {
        let bench = try ContinuousBench()
        try createOther(bench)
        try putOther(bench, 2500)
        bench.pass(2 * Self.day)
        var firsts: [Int64?] = []
        for number in 0..<4 {
            try bench.store.setSetting("turn", to: "\(number)")
            firsts.append(try first(bench))
        }
        #expect(firsts == [1001, 2001, 2500, 2500])
    }

    @Test("How much there is in the stream is noted every ten thousand changes, so that no start counts more")
    func noted() throws {
        let bench = try ContinuousBench()
        try createOther(bench)
        func noted() throws -> Int64? {
            try bench.store.setting("store.stream")?.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
        }
        let before = try noted()
        for _ in 0..<99 { try putOther(bench, 100) }
        #expect(try noted() == before)
        try putOther(bench, 100)
        #expect(try noted() == 10_000)
    }

    @Test("Changes of other tables go as if there were no log: it says within an hour that it needs none of them")
    func othersChanges() throws {
        let bench = try ContinuousBench()
        try createOther(bench)
        try bench.turnOn()
        for number in 0..<5 { try bench.put("\(number)") }
        try bench.store.backups.archive.flush()
        bench.pass(2 * Self.hour)
        try putOther(bench, 50)
        try bench.store.backups.archive.flush()
        // The note is no reason to write again before another hour is over.
        let log = try #require(try bench.files("log-").first)
        let size = try read(log).count
        try putOther(bench, 70)
        bench.pass(Self.hour - 1)
        try bench.store.backups.archive.flush()
        #expect(try read(log).count == size)
        bench.pass(1)
        try putOther(bench, 1)
        try bench.store.backups.archive.flush()
        #expect(try read(log).count > size)
        bench.pass(2 * Self.day)
        try prune(bench)
        #expect(try first(bench) == bench.store.lastSequence)
        // Neither a crash nor a restart takes those for missing that were nothing to the log; an orderly end says
        // how far it is.
        for _ in 0..<2 {
            try bench.store.backups.archive.flush()
            try putOther(bench, 3)
        }
        let last = bench.store.lastSequence
        try bench.reopen {
            var reader = try LogSegmentReader(try StoredFile.open(log), after: 0)
            while try reader.next() != nil {}
            #expect(reader.lastSequence == last)
        }
        try bench.put("5")
        #expect(try bench.items(at: .latest).count == 6)
        #expect(try bench.state().damages == [])
        #expect(try bench.files("base-").count == 1)
        #expect(try bench.state().restorable == ContinuousBench.start...bench.now)
    }

    @Test("A log whose last changes others follow says how far it is: it misses nothing when theirs are gone")
    func othersBehind() throws {
        let bench = try ContinuousBench()
        try createOther(bench)
        try bench.turnOn()
        for round in 0..<3 {
            bench.pass(Self.minute)
            try bench.put("\(round)")
            try putOther(bench, 20)
            try bench.store.backups.archive.flush()
        }
        bench.pass(2 * Self.day)
        try prune(bench)
        #expect(try first(bench) == bench.store.lastSequence)
        // What the files say, not what the process knew.
        #expect(try backupsLeft(by: bench).restorable?.lowerBound == ContinuousBench.start)
    }

    @Test("What the files do not say yet stays: a crash finds the log as far as it says, and the rest in the stream")
    func crash() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        try createOther(bench)
        try bench.turnOn()
        for number in 0..<5 { try bench.put("\(number)") }
        try bench.store.backups.archive.flush()
        bench.pass(2 * Self.day)
        try putOther(bench, 5)
        try bench.store.backups.archive.flush()
        // Looked at and not noted, for the hour is not over.
        bench.pass(Self.hour / 2)
        try putOther(bench, 30)
        try bench.store.backups.archive.flush()
        device.watch { !$0.contains("/log-") }
        bench.pass(25 * Self.hour)
        try prune(bench)
        _ = try backupsLeft(by: bench)
    }

    @Test("A log that fails stays behind alone, and has every change once when it goes on; the other has gone on")
    func oneOfTwo() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        try createOther(bench)
        try bench.turnOn()
        _ = try bench.store.setContinuousBackups(of: Self.other, enabled: true)
        let life = try #require(try bench.store.setting("continuous.\(TestTable.name)"))
        var moments: [Int64] = []
        for round in 0..<4 {
            bench.pass(Self.minute)
            // Before anything is written: the logs follow by themselves, sooner or later.
            device.watch { round % 2 == 0 || !$0.contains("/\(life)/log-") }
            for number in 0..<10 {
                try bench.put("\(round)-\(number)")
                try putOther(bench, 2)
            }
            if round % 2 == 1 {
                #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
                #expect(try bench.store.continuousBackups(of: Self.other).restorable?.upperBound == bench.now)
                #expect(try bench.store.backups.archive.source(of: Self.other, at: .latest).1 == bench.now)
            } else {
                try bench.store.backups.archive.flush()
            }
            moments.append(bench.now)
        }
        device.mend()
        bench.pass(Self.minute)
        try bench.store.backups.archive.flush()
        for (round, moment) in moments.enumerated() {
            #expect(try bench.items(at: .time(moment)).count == 10 * (round + 1))
        }
        #expect(try bench.store.verify().problems == [])
        try bench.reopen()
        #expect(try bench.items(at: .latest).count == 40)
        #expect(try bench.state().damages == [])
        #expect(try bench.store.continuousBackups(of: Self.other).damages == [])
        #expect(try bench.store.verify().problems == [])
    }

    @Test("One that is megabytes behind catches up in steps, and the other has nothing twice for it")
    func farBehind() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        try createOther(bench)
        try bench.turnOn()
        _ = try bench.store.setContinuousBackups(of: Self.other, enabled: true)
        let life = try #require(try bench.store.setting("continuous.\(TestTable.name)"))
        try bench.put("first")
        device.watch { !$0.contains("/\(life)/log-") }
        for number in 0..<30 {
            let value = AttributeValue.binary([UInt8](repeating: UInt8(number), count: 350_000))
            try bench.store.transactAndWait(
                [.put(table: Self.other, item: TestTable.item("o", "\(number)", ["v": value]))],
                principal: .anonymous)
        }
        try bench.put("last")
        #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
        device.mend()
        try bench.store.backups.archive.flush()
        #expect(try bench.names(at: .latest) == ["first", "last"])
        try bench.reopen()
        #expect(try bench.store.continuousBackups(of: Self.other).damages == [])
        let report = try bench.store.verify()
        #expect(report.problems == [] && report.loggedChanges == 32)
    }

    /// What a crash of the process at this moment would leave, opened.
    private func store(leftBy bench: ContinuousBench, in left: TemporaryDirectory) throws -> SQLiteTableStore {
        try copy(bench.directory.path, to: left.path)
        let (time, elapsed) = (bench.time, bench.elapsed)
        return try SQLiteTableStore.open(
            .directory(left.path), elapsed: { elapsed.withLock { $0 } }, clock: { time.withLock { $0 } })
    }

    /// Copies a directory with what is in it, as it is at the moment.
    private func copy(_ path: String, to other: String) throws {
        let directory = try #require(opendir(path))
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                try #require(mkdir("\(other)/\(name)", 0o700) == 0)
                try copy("\(path)/\(name)", to: "\(other)/\(name)")
            } else {
                try write(try read("\(path)/\(name)"), to: "\(other)/\(name)")
            }
        }
    }
}
