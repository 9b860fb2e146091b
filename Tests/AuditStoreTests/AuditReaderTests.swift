import Dispatch
import FlagCore
import TestSupport
import Testing

@testable import Audit
@testable import AuditStore
@testable import DynamoModel
@testable import FlagStore
@testable import TableEngine

@Suite("Records are found by what they are about")
struct AuditReaderTests {
    /// A log of many entries of different times, actors, actions and places.
    private func makeLog(_ count: Int = 600) throws -> (TestAudit, [AuditEntry]) {
        let audit = try TestAudit()
        var entries: [AuditEntry] = []
        for number in 0..<count {
            var entry = AuditEntry(
                AuditAction(["flag", "override", "user"][number % 3], ["create", "update"][number % 2]),
                by: Principal(.key, "k\(number % 7)"), at: Timestamp(millisecondsSinceEpoch: Int64(number) * 1000))
            entry.target.flag = number % 3 < 2 ? "flag-\(number % 11)" : nil
            entry.target.tenant = number % 3 == 1 ? "tenant-\(number % 5)" : nil
            entry.environment = Environment.allCases[number % 3]
            entry.outcome = number % 13 == 0 ? .refused : .done
            entries.append(entry)
        }
        audit.trail.catchUp()
        let log = audit.trail.log
        for start in stride(from: 0, to: count, by: 40) {
            try log.queue.sync {
                try log.append(
                    entries[start..<min(start + 40, count)].map { AuditLog.Addition(entry: $0, position: nil) })
            }
        }
        return (audit, entries)
    }

    static let filters: [AuditFilter] = [
        .with { $0.actor = "k3" }, .with { $0.actor = "key k3" }, .with { $0.action = "flag.update" },
        .with { $0.action = "override" }, .with { $0.flag = "flag-4" }, .with { $0.tenant = "tenant-2" },
        .with { $0.environment = .staging }, .with { $0.outcome = .refused },
        .with { $0.since = Timestamp(millisecondsSinceEpoch: 100_500) },
        .with { $0.until = Timestamp(millisecondsSinceEpoch: 300_000) },
        .with {
            $0.since = Timestamp(millisecondsSinceEpoch: 100_000)
            $0.until = Timestamp(millisecondsSinceEpoch: 101_000)
        },
        .with {
            $0.flag = "flag-4"
            $0.actor = "k2"
            $0.outcome = .done
            $0.since = Timestamp(millisecondsSinceEpoch: 50_000)
        },
        .with { $0.actor = "nobody" }, .with { $0.until = Timestamp(millisecondsSinceEpoch: 0) },
    ]

    @Test(
        "Whatever is asked for, a list has what a look at everything finds, in both orders and all page sizes",
        arguments: filters.indices)
    func filter(_ index: Int) throws {
        let filter = Self.filters[index]
        let (audit, entries) = try makeLog()
        let expected = entries.filter(filter.matches).map(\.time)
        func found(_ order: AuditTrail.Order, _ size: Int) throws -> [Timestamp] {
            // The log's own record of its beginning is of now.
            try audit.records(filter, order, pageSize: size).filter { $0.entry.action != .begin }.map(\.entry.time)
        }
        for size in [1, 7, 1000] {
            #expect(try found(.oldest, size) == expected)
            #expect(try found(.newest, size) == expected.reversed())
        }
    }

    @Test("A record is found by its sequence, and none where there is none")
    func bySequence() throws {
        let (audit, entries) = try makeLog(100)
        for sequence in [1, 2, 50, 101] as [Int64] { #expect(try audit.trail.record(sequence)?.sequence == sequence) }
        #expect(try audit.trail.record(52)?.entry.time == entries[50].time)
        for sequence in [-1, 0, 102] as [Int64] { #expect(try audit.trail.record(sequence) == nil) }
    }

    @Test("Old records go, a sealed checkpoint stays, and the log verifies from there")
    func retention() throws {
        let audit = try TestAudit()
        audit.trail.catchUp()
        let log = audit.trail.log
        for number in 0..<200 {
            var entry = AuditEntry(
                AuditAction("flag", "update"), by: Principal(.key, "k"),
                at: Timestamp(millisecondsSinceEpoch: Timestamp.systemClock.millisecondsSinceEpoch + Int64(number)))
            entry.target.flag = "flag-\(number)"
            let addition = AuditLog.Addition(entry: entry, position: nil)
            try log.queue.sync { try log.append([addition]) }
        }
        let records = try audit.records()
        let bound = records[150].entry.time
        let head = try #require(audit.trail.head)
        let removed = try audit.trail.expire(before: bound, at: .systemClock)
        #expect(removed == 150)
        let left = try audit.records()
        #expect(left.map(\.sequence) == Array(151...202))
        #expect(left.last?.entry.action == .expire)
        #expect(try audit.trail.record(150) == nil)
        let report = try audit.trail.verify(against: [head])
        #expect(report.problems == [])
        #expect(report.expired == 150)
        // Nothing is left that would lead to what is gone.
        let items = try audit.store.scan(Scan(table: AuditTable.name)).items
        #expect(items.count { $0["SK"]?.int64Value ?? 0 <= 150 && $0["SK"] != 0 } == 0)
        #expect(try audit.store.verify().problems == [])
        try audit.restart()
        #expect(try audit.problems([head]) == [])
    }
}
