import Glibc
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Logs of continuous backups whose writes fail")
struct LogFailureTests {
    private static let day = ContinuousBench.day

    /// Calls that write files of backups and fail as told.
    private final class FaultyCalls: Sendable {
        enum Fault: Sendable {
            /// Half of each write is done, and then there is no space.
            case torn
            /// As `torn`, and nothing can be cut off either.
            case tornForGood
            /// Every sync fails.
            case unsynced
            /// Nothing is written, and it is said that it was.
            case lost
        }

        private let fault = Locked<Fault?>(nil)

        func strike(_ fault: Fault?) { self.fault.withLock { $0 = fault } }

        var calls: FileCalls {
            FileCalls(
                write: { [fault] descriptor, bytes, offset in
                    switch fault.withLock({ $0 }) {
                    case .torn, .tornForGood:
                        if bytes.count < 40 { errno = ENOSPC }
                        guard bytes.count >= 40 else { return -1 }
                        return FileCalls.system.write(
                            descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), offset)
                    case .lost: return bytes.count
                    case .unsynced, nil: return FileCalls.system.write(descriptor, bytes, offset)
                    }
                },
                synchronize: { [fault] descriptor in
                    guard case .unsynced = fault.withLock({ $0 }) else {
                        return FileCalls.system.synchronize(descriptor)
                    }
                    errno = EIO
                    return -1
                },
                truncate: { [fault] descriptor, size in
                    guard case .tornForGood = fault.withLock({ $0 }) else {
                        return FileCalls.system.truncate(descriptor, size)
                    }
                    errno = EIO
                    return -1
                })
        }
    }

    /// The damages that a segment has, read to its end.
    private func damages(_ path: String) throws -> [LogSegmentReader.Damage] {
        let name = try #require(LogFileName(path[path.index(after: path.lastIndex(of: "/")!)...]))
        var reader = try LogSegmentReader(try StoredFile.open(path), after: name.sequence)
        var damages: [LogSegmentReader.Damage] = []
        while let piece = try reader.next() { if case .damage(let damage) = piece { damages.append(damage) } }
        return damages
    }

    @Test(
        "What a failed write leaves is cut off before the log goes on: every moment can be restored over it",
        arguments: [0, 1, 2])
    func tornWrite(_ number: Int) throws {
        let fault = [FaultyCalls.Fault.torn, .tornForGood, .unsynced][number]
        let faulty = FaultyCalls()
        let bench = try ContinuousBench(.file, faulty.calls)
        try bench.turnOn()
        var moments: [(time: Int64, names: [String])] = []
        for round in 0..<6 {
            for name in 0..<60 { try bench.put("\(round)-\(name)") }
            bench.pass(1)
            try bench.store.backups.archive.flush()
            faulty.strike(fault)
            for name in 0..<60 { try bench.put("\(round)-\(name)-while-failing") }
            #expect(throws: TableError.self) { try bench.store.backups.archive.flush() }
            #expect(bench.store.backupTrouble != nil)
            // Position and file agree at once, unless not even that could be done.
            if number == 0 { #expect(try damages(try #require(try bench.files("log-").last)) == []) }
            // The last moment that is told is one that the log has.
            let latest = try bench.state().restorable?.upperBound
            bench.pass(1)
            #expect(try bench.state().restorable?.upperBound == latest)
            faulty.strike(nil)
            try bench.store.backups.archive.flush()
            #expect(bench.store.backupTrouble == nil)
            moments.append((bench.now, try bench.store.items(TestTable.name).compactMap { $0["SK"]?.stringValue }))
            // A base and a segment a week.
            bench.pass(8 * Self.day)
        }
        #expect(try bench.files("log-").count >= 5)
        for path in try bench.files("log-") { #expect(try damages(path) == []) }
        for moment in moments where moment.time >= bench.now - 35 * Self.day {
            #expect(try bench.names(at: .time(moment.time)) == moment.names)
        }
        #expect(try bench.state().damages == [])
        #expect(try bench.store.verify().problems == [])
    }

    @Test(
        "A torn write that a version before left in the middle of the log costs nothing where the next segment has it")
    func tornMiddle() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        for round in 0..<2 {
            for name in 0..<60 { try bench.put("\(round)-\(name)") }
            bench.pass(8 * Self.day)
            try bench.store.backups.archive.flush()
        }
        let first = try bench.files("log-")[0]
        try bench.store.setSetting(
            "continuous-files.\(try #require(try bench.store.setting("continuous.things")))", to: "")
        try bench.reopen { try write(try read(first) + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], to: first) }
        #expect(try bench.state().damages == [])
        #expect(try bench.names(at: .time(ContinuousBench.start)).isEmpty == false)
        #expect(try bench.store.verify().problems == [])
    }

    @Test("When a segment ends it is looked whether it can be read; a write that was lost is named, and a base is made")
    func lostWrite() throws {
        let faulty = FaultyCalls()
        let bench = try ContinuousBench(.file, faulty.calls)
        try bench.turnOn()
        for name in 0..<200 { try bench.put("\(name)") }
        try bench.store.backups.archive.flush()
        bench.pass(1000)
        let before = bench.now
        bench.pass(1000)
        try bench.put("last")
        try bench.store.backups.archive.flush()
        bench.pass(1000)
        faulty.strike(.lost)
        try bench.put("lost")
        try bench.store.backups.archive.flush()
        faulty.strike(nil)
        bench.pass(8 * Self.day)
        try bench.store.backups.archive.flush()
        let damage = try #require(try bench.state().damages.first)
        #expect(damage.lost == (before + 1000)...(before + 1999))
        #expect(try bench.names(at: .time(before)).count == 200)
        #expect(try bench.names(at: .latest).contains("lost"))
        #expect(throws: TableError.self) { try bench.names(at: .time(before + 1500)) }
        #expect(try bench.names(at: .time(before + 2000)).contains("lost"))
        #expect(try bench.store.verify().problems == [damage.description])
    }

    @Test(
        "A restore that fails is told and counted, who asks for the table learns why, and what is damaged is looked for"
    )
    func failedRestore() throws {
        let bench = try ContinuousBench()
        try bench.turnOn()
        var time: Int64 = 0
        for round in 0..<3 {
            for name in 0..<100 {
                try bench.put("\(round)-\(name)")
                if round == 1, name == 90 { time = bench.now }
                bench.pass(1)
            }
            try bench.store.backups.archive.flush()
            bench.pass(8 * Self.day)
            // The base that is due now begins before the next change, not among them.
            try bench.store.backups.archive.flush()
        }
        bench.store.backups.archive.waitForExamination()
        let told = Locked<[RestoreFailure]>([])
        bench.store.subscribeToRestoreFailures { failure in told.withLock { $0.append(failure) } }
        // Behind the back of the server.
        let segment = try bench.files("log-")[1]
        try overwrite(segment, from: try read(segment).count / 2, count: 1)
        #expect(throws: TableError.self) { try bench.items(at: .time(time)) }
        let failure = try #require(told.withLock { $0.first })
        #expect(failure.source == TestTable.name && bench.store.failedRestores == 1)
        #expect(bench.store.restoreFailure(of: failure.table) == failure)
        #expect(failure.error.description.contains("is not what was written"))
        bench.store.backups.archive.waitForExamination()
        try bench.store.backups.archive.flush()
        let lost = try #require(try bench.state().damages.first?.lost)
        #expect(lost.contains(time))
        // From now on it is refused before anything begins, and other times are restored.
        #expect(throws: TableError.self) { try bench.items(at: .time(time)) }
        #expect(bench.store.failedRestores == 1)
        #expect(try bench.items(at: .latest).count == 300)
        #expect((100..<200).contains(try bench.items(at: .time(lost.lowerBound - 1)).count))
        // Another table of the name has nothing to do with it.
        let backup = try bench.store.createBackup(of: TestTable.name, name: "b")
        _ = try restored {
            _ = try bench.store.restore(
                backup: backup.id, to: failure.table, replacing: false, adjust: { $0 }, completion: $0)
        }
        #expect(bench.store.restoreFailure(of: failure.table) == nil)
    }
}
