import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Damaged logs of continuous backups")
struct LogDamageTests {
    private static let start = ContinuousBench.start
    private static let hour = ContinuousBench.hour
    private static let day = ContinuousBench.day

    /// A store with several bases and segments, a change an hour, and the state of the table after each.
    private struct History {
        let bench: ContinuousBench
        var moments: [(time: Int64, names: [String])] = []

        init() throws {
            bench = try ContinuousBench()
            try bench.turnOn()
            for number in 0..<480 {
                bench.pass(LogDamageTests.hour)
                try bench.put("\(number % 300)", Int64(number))
                if number % 4 == 0 {
                    try bench.store.backups.archive.flush()
                    let names = (try bench.store.items(TestTable.name)).compactMap { $0["SK"]?.stringValue }
                    moments.append((bench.now, names))
                }
            }
            try bench.store.backups.archive.flush()
            try #require(try bench.files("base-").count == 3)
            try #require(try bench.files("log-").count == 3)
        }

        /// What can be restored of the moments, and what cannot: every one is right or refused.
        func restored() throws -> (right: [Int64], refused: [Int64]) {
            var (right, refused): ([Int64], [Int64]) = ([], [])
            for (index, moment) in moments.enumerated() where index % 3 == 0 {
                do {
                    #expect(try bench.names(at: .time(moment.time)) == moment.names)
                    right.append(moment.time)
                } catch TableError.backup(.lostRestoreTime) {
                    refused.append(moment.time)
                } catch TableError.backup(.invalidRestoreTime(let earliest, _)) where moment.time < earliest {
                    refused.append(moment.time)
                }
            }
            return (right, refused)
        }
    }

    private func flip(_ path: String, at byte: Int) throws {
        var bytes = try read(path)
        bytes[byte] ^= 0x10
        try write(bytes, to: path)
    }

    /// A byte in the first block of changes behind `part` of a segment. Between such blocks there are those that say
    /// how far the log is complete, as often as the follower came by.
    private func byteOfChanges(in path: String, behind part: Double) throws -> Int {
        let bytes = try read(path)
        var position = BlockFile.start
        while position + BlockFile.headBytes < bytes.count {
            let isOfChanges = bytes[position + 8] == LogSegment.changes
            if isOfChanges, Double(position) >= part * Double(bytes.count) { return position + BlockFile.headBytes }
            position += BlockFile.headBytes + Int(LittleEndian.uint32(bytes, at: position + 4))
        }
        throw NoSuchBlock()
    }

    private struct NoSuchBlock: Error {}

    @Test("A flipped bit in a segment costs the times from there to the next base and no other, and is named")
    func flippedBit() throws {
        let history = try History()
        let bench = history.bench
        let life = try bench.store.setting("continuous.\(TestTable.name)")
        let damaged = try bench.files("log-")[1]
        let bytes = try read(damaged)
        let byte = try byteOfChanges(in: damaged, behind: 0.5)
        try bench.reopen { try flip(damaged, at: byte) }
        let told = Locked<[LogDamage]>([])
        bench.store.subscribeToLogDamage { damage in told.withLock { $0.append(damage) } }
        try bench.store.backups.archive.flush()
        // A segment that was ended is read beside the work.
        bench.store.backups.archive.waitForExamination()
        let damage = try #require(try bench.state().damages.first)
        #expect(try bench.state().damages == [damage])
        #expect(told.withLock { $0 } == [damage])
        #expect(bench.store.logDamages == [damage])
        #expect(damage.file == damaged.replacing(".log", with: ".damaged"))
        #expect(damage.byte == byte - BlockFile.headBytes)
        let lost = try #require(damage.lost)
        // Kept as it is, under another name.
        #expect(access(damaged, F_OK) != 0)
        #expect(try read(damage.file).count == bytes.count)
        #expect(try bench.store.setting("continuous.\(TestTable.name)") == life)
        let (right, refused) = try history.restored()
        #expect(refused.allSatisfy { lost.contains($0) } && right.allSatisfy { !lost.contains($0) })
        #expect(right.contains { $0 < lost.lowerBound } && right.contains { $0 > lost.upperBound } && !refused.isEmpty)
        // Told again, and not worse, after another start; also by who only looks.
        try bench.reopen()
        try bench.store.backups.archive.flush()
        #expect(try bench.state().damages == [damage])
        bench.close()
        let problems = try SQLiteTableStore.verify(directory: bench.directory.path).problems
        #expect(problems == [damage.description])
    }

    @Test("Damage of the segment that is being written: a base is made, and the window goes on")
    func damagedLastSegment() throws {
        let history = try History()
        let bench = history.bench
        let damaged = try #require(try bench.files("log-").last)
        let size = try read(damaged).count
        let byte = try byteOfChanges(in: damaged, behind: 0.25)
        try bench.reopen { try flip(damaged, at: byte) }
        bench.pass(1)
        let state = try bench.state()
        let lost = try #require(state.damages.first?.lost)
        #expect(lost.upperBound < bench.now)
        #expect(state.restorable == Self.start...bench.now)
        #expect(try bench.files("base-").count == 4)
        bench.pass(Self.hour)
        try bench.put("afterwards")
        #expect(try bench.names(at: .latest).contains("afterwards"))
        let (right, refused) = try history.restored()
        #expect(refused.allSatisfy { lost.contains($0) } && right.allSatisfy { !lost.contains($0) })
        #expect(right.count > refused.count && !refused.isEmpty)
        #expect(access(damaged, F_OK) != 0)
        #expect(try read(damaged.replacing(".log", with: ".damaged")).count == size)
    }

    @Test("What the change stream still has is taken from there again, and no time is lost")
    func madeUpFor() throws {
        let history = try History()
        let bench = history.bench
        let damaged = try #require(try bench.files("log-").last)
        // Of the last block but one, with one behind it: no torn write.
        try bench.reopen { try flip(damaged, at: try read(damaged).count - 200) }
        try bench.store.backups.archive.flush()
        #expect(try bench.state().damages.map(\.lost) == [nil])
        #expect(try history.restored().refused == [])
        #expect(try bench.store.verify().problems.count == 1)
    }

    @Test(
        "Damage of the segment that is being written is made up for while the server runs",
        arguments: [0.01, 0.3, 0.6, 0.999])
    func madeUpForMeanwhile(_ part: Double) throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        var moments: [(time: Int64, count: Int)] = []
        for number in 0..<40 {
            bench.pass(1000)
            try bench.put("\(number)")
            try bench.store.backups.archive.flush()
            moments.append((bench.now, number + 1))
        }
        let log = try #require(try bench.files("log-").last)
        bench.store.backups.archive.waitForExamination()
        let bytes = try read(log)
        let place = Int(Double(bytes.count) * part)
        try overwrite(log, from: place, count: 1)
        #expect(try bench.store.verify().problems.count == 1)
        bench.store.backups.archive.examine()
        bench.store.backups.archive.waitForExamination()
        bench.pass(1000)
        try bench.put("later")
        #expect(try bench.state().damages.map(\.lost) == [nil])
        for moment in moments { #expect(try bench.names(at: .time(moment.time)).count == moment.count) }
        #expect(try bench.names(at: .latest).count == 41)
        #expect(try read(log.replacing(".log", with: ".damaged")).count == bytes.count)
        try bench.reopen()
        #expect(try bench.names(at: .latest).count == 41)
        #expect(try bench.store.verify().problems.count == 1)
    }

    enum Deleted: CaseIterable { case firstBase, middleBase, firstSegment, middleSegment, lastSegment, everything }

    @Test(
        "A base or a segment that was deleted is missed, and only what needs it cannot be restored",
        arguments: Deleted.allCases)
    func deleted(_ deleted: Deleted) throws {
        let history = try History()
        let bench = history.bench
        let (bases, segments) = (try bench.files("base-"), try bench.files("log-"))
        let gone =
            switch deleted {
            case .firstBase: [bases[0]]
            case .middleBase: [bases[1]]
            case .firstSegment: [segments[0]]
            case .middleSegment: [segments[1]]
            case .lastSegment: [segments[2]]
            case .everything: bases + segments
            }
        try bench.reopen { for path in gone { unlink(path) } }
        try bench.store.backups.archive.flush()
        let damages = try bench.state().damages
        #expect(damages.map(\.file).sorted() == gone.sorted())
        #expect(damages.allSatisfy { $0.reason == "the file is gone" })
        let (right, refused) = try history.restored()
        let lost = damages.compactMap(\.lost)
        #expect(refused.allSatisfy { time in lost.contains { $0.contains(time) } })
        // From the base before, the log leads over one that is gone.
        #expect(refused.isEmpty == (deleted == .middleBase))
        #expect(right.isEmpty == (deleted == .everything))
        bench.pass(Self.hour)
        try bench.put("afterwards")
        #expect(try bench.names(at: .latest).contains("afterwards"))
        bench.close()
        #expect(try SQLiteTableStore.verify(directory: bench.directory.path).problems.count == damages.count)
    }

    @Test("A damaged base is kept aside, and restores begin with the one before")
    func damagedBase() throws {
        let history = try History()
        let bench = history.bench
        let base = try bench.files("base-")[1]
        let size = try read(base).count
        try bench.reopen { try flip(base, at: size / 2) }
        try bench.store.backups.archive.flush()
        bench.store.backups.archive.waitForExamination()
        #expect(try bench.state().damages.map(\.lost) == [nil])
        #expect(try history.restored().refused == [])
        #expect(try read(base.replacing(".image", with: ".damaged")).count == size)
    }

    @Test(
        "What cuts, zeroes, lengthens or flips any file at random is named by a verification, or no time is lost for it"
    )
    func anything() throws {
        var random = SeededGenerator(seed: 11)
        let history = try History()
        let bench = history.bench
        let files = try bench.files("")
        bench.close()
        let originals = Dictionary(uniqueKeysWithValues: try files.map { ($0, try read($0)) })
        for round in 0..<60 {
            let path = try #require(files.randomElement(using: &random))
            var bytes = try #require(originals[path])
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch round % 4 {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeLast(bytes.count - place)
            case 2: for index in place..<min(bytes.count, place + 512) { bytes[index] = 0 }
            default: bytes += [UInt8](repeating: UInt8(round), count: 1 + place % 700)
            }
            try write(bytes, to: path)
            let problems = try SQLiteTableStore.verify(directory: bench.directory.path).problems
            let isLast = path == files.filter { $0.contains("log-") }.last
            // The end of the last segment is in the change stream, too, and is written anew.
            #expect(!problems.isEmpty || isLast || bytes == originals[path], "\(path) round \(round)")
            #expect(try read(path) == bytes)
            try write(try #require(originals[path]), to: path)
        }
        #expect(try SQLiteTableStore.verify(directory: bench.directory.path).problems == [])
    }

    @Test("A damaged log of one table keeps neither the log of another nor the change stream from going on")
    func othersGoOn() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        let other = TableSchema(
            name: "other", partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"), indexes: [])
        try bench.store.createTable(other)
        _ = try bench.store.setContinuousBackups(of: "other", enabled: true)
        for number in 0..<50 {
            bench.pass(Self.hour)
            try bench.put("\(number)")
            try bench.store.backups.archive.flush()
        }
        let damaged = try #require(try bench.files("log-").last)
        // Not even the folder is one any more.
        let folder = String(damaged[..<damaged.lastIndex(of: "/")!])
        try bench.reopen {
            try #require(rename(folder, folder + ".elsewhere") == 0)
            try write([1], to: folder)
        }
        bench.pass(Self.hour)
        #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
        #expect(bench.store.backupTrouble != nil)
        try bench.store.transactAndWait(
            [.put(table: "other", item: TestTable.item("p", "1"))], principal: .anonymous)
        #expect(try bench.store.continuousBackups(of: "other").restorable?.upperBound == bench.now)
        _ = try restored {
            _ = try bench.store.restore(
                table: "other", at: .latest, to: "copy", replacing: false, adjust: { $0 }, completion: $0)
        }
        #expect(try bench.store.items("copy").count == 1)
    }
}
