import FlagCore
import TestSupport
import Testing

@testable import Audit
@testable import AuditStore
@testable import DynamoModel
@testable import FlagStore
@testable import TableEngine

@Suite("Whoever changes the audit log is found out")
struct TamperingTests {
    /// What somebody does who can write the store, and has no key.
    enum Tampering: String, CaseIterable, CustomTestStringConvertible {
        case edited, editedWithItsMark, dropped, droppedBlock, reordered, exchangedBlocks, inserted, cutOff
        case hidden, hiddenInPart, forgottenByForgedCheckpoint, emptied, endMoved

        var testDescription: String { rawValue }
    }

    /// A log of three blocks of five flags each, and its head.
    private func makeLog() throws -> (TestAudit, AuditHead) {
        let audit = try TestAudit()
        for block in 0..<3 {
            try audit.store.transactAndWait(
                (0..<5).map { .put(table: TestAudit.table, item: TestAudit.item("flag-\(block)-\($0)")) },
                principal: Principal(.key, "k"))
            audit.trail.catchUp()
        }
        return (audit, try #require(audit.trail.head))
    }

    @Test("Each kind of change is found", arguments: Tampering.allCases)
    func tampering(_ kind: Tampering) throws {
        let (audit, head) = try makeLog()
        #expect(try audit.problems([head]) == [])
        try tamper(kind, audit.store)
        #expect(try audit.problems([head]) != [])
    }

    @Test("A log that was written anew with the key itself is found by a head that was kept elsewhere")
    func writtenAnew() throws {
        let (audit, head) = try makeLog()
        let other = try TestAudit()
        for block in 0..<3 {
            try other.store.transactAndWait(
                (0..<5).map { .put(table: TestAudit.table, item: TestAudit.item("other-\(block)-\($0)")) },
                principal: Principal(.key, "k"))
            other.trail.catchUp()
        }
        #expect(try other.problems() == [])
        #expect(try other.problems([head]) != [])
        _ = audit
    }

    @Test("Records of another key are not this server's")
    func otherKey() throws {
        let (audit, _) = try makeLog()
        try audit.restart(key: [UInt8](repeating: 8, count: 32))
        #expect(try audit.records().last?.entry.action == .keyChange)
        #expect(try !audit.problems().isEmpty)
    }

    private func blocks(_ store: SQLiteTableStore) throws -> [Item] {
        try store.query(Query(table: AuditTable.name, partition: AuditTable.records)).items
    }

    private func tamper(_ kind: Tampering, _ store: SQLiteTableStore) throws {
        let items = try blocks(store)
        let all = try items.map { try #require(AuditBlock(item: $0)) }
        let block = try #require(all.dropFirst().first { $0.records.count == 5 })
        let last = try #require(all.last)
        let state = try #require(
            try store.getItem(table: AuditTable.name, key: AuditTable.state).flatMap(AuditState.init(item:)))
        func put(_ item: Item) throws {
            try store.transactAndWait([.put(table: AuditTable.name, item: item)], principal: .anonymous)
        }
        func delete(_ key: TableKey) throws {
            try store.transactAndWait([.delete(table: AuditTable.name, key: key)], principal: .anonymous)
        }
        func rewritten(_ records: [AuditBlock.Stored], at first: Int64? = nil) -> Item {
            var new = AuditBlock(first: first ?? block.first, latest: block.latest)
            for record in records { new.append(record, at: block.latest) }
            return new.item
        }
        func edited(_ record: AuditBlock.Stored) -> [UInt8] {
            Array(String(decoding: record.bytes, as: UTF8.self).replacing("\"team\"", with: "\"fake\"").utf8)
        }
        var records = block.records
        switch kind {
        case .edited:
            records[2] = AuditBlock.Stored(bytes: edited(records[2]), mark: records[2].mark)
            try put(rewritten(records))
        case .editedWithItsMark:
            let seal = AuditSeal(key: [UInt8](repeating: 1, count: 32))
            let bytes = edited(records[2])
            records[2] = AuditBlock.Stored(bytes: bytes, mark: seal.mark(of: bytes, after: records[1].mark))
            try put(rewritten(records))
        case .dropped:
            records.remove(at: 2)
            try put(rewritten(records))
        case .droppedBlock: try delete(AuditTable.block(block.first))
        case .reordered:
            records.swapAt(1, 2)
            try put(rewritten(records))
        case .exchangedBlocks:
            let other = try #require(all.last { $0.records.count == 5 && $0.first != block.first })
            try put(rewritten(other.records))
        case .inserted:
            records.insert(records[2], at: 2)
            try put(rewritten(records))
        case .cutOff:
            try delete(AuditTable.block(last.first))
            var shorter = state
            shorter.sequence = last.first - 1
            shorter.mark = try #require(all.dropLast().last?.records.last?.mark)
            try put(shorter.item)
        case .hidden: try delete(AuditTable.posting(AuditTerm(.flag, "flag-0-1"), all[1].first))
        case .hiddenInPart: try put(AuditPosting.item(AuditTerm(.actor, "k"), in: block.first, [0, 1, 2, 3]))
        case .forgottenByForgedCheckpoint:
            let seal = AuditSeal(key: [UInt8](repeating: 1, count: 32))
            let mark = try #require(block.records.last?.mark)
            try put(AuditCheckpoint(sequence: block.last, mark: mark, time: .systemClock, seal).item)
            for block in all.prefix(2) { try delete(AuditTable.block(block.first)) }
        case .emptied:
            for block in all { try delete(AuditTable.block(block.first)) }
            try delete(AuditTable.state)
        case .endMoved:
            var longer = state
            longer.sequence += 1
            try put(longer.item)
        }
    }
}
