import Audit
import DynamoModel
import FlagCore
import FlagStore

/// What a verification of the log found.
package struct AuditReport: Sendable {
    /// Records that were checked.
    package var records: Int64 = 0
    /// The first of them; 0 when there is none.
    package var first: Int64 = 0
    /// The last record that was removed since it was older than records are kept; 0 when none was.
    package var expired: Int64 = 0
    /// The end of the log.
    package var head: AuditHead?
    /// Heads that were kept elsewhere and compared.
    package var heads = 0
    /// What is wrong, in words; empty when everything is in order. At most as many as are of use.
    package private(set) var problems: [String] = []
    /// How many more problems there are.
    package private(set) var more = 0

    private static let problemsMaximum = 100

    mutating func note(_ problem: String) {
        if problems.count < Self.problemsMaximum { problems.append(problem) } else { more += 1 }
    }
}

/// Checks the whole log: that each record follows on the one before, that nothing of it is missing, changed, in another
/// order or added, that what finds records names them all, and that it still ends with or goes on behind heads that
/// were kept elsewhere.
struct AuditVerification {
    private let store: any TableStore
    private let seal: AuditSeal
    private let heads: [Int64: AuditHead]
    private var report = AuditReport()
    private var mark = AuditSeal.origin
    private var expected: Int64 = 1

    private static let blocksTogether = 10

    init(store: any TableStore, seal: AuditSeal, heads: [AuditHead]) {
        self.store = store
        self.seal = seal
        self.heads = Dictionary(heads.map { ($0.sequence, $0) }) { $1 }
        report.heads = heads.count
    }

    /// Checks it up to where it ends when this begins. O(log).
    ///
    /// - Parameters:
    ///   - expect: told how many records there are.
    ///   - note: told now and then how many more of them were checked; answers whether to give up.
    mutating func run(
        expect: (Int64) -> Void = { _ in }, note: (Int64) -> Bool = { _ in false }
    ) throws(TableError) -> AuditReport {
        guard let state = try store.getItem(table: AuditTable.name, key: AuditTable.state).flatMap(AuditState.init)
        else {
            report.note("there is no log, or where it ends cannot be read")
            checkHeads(upTo: 0)
            return report
        }
        try begin()
        expect(max(0, state.sequence - expected + 1))
        var query = Query(
            table: AuditTable.name, partition: AuditTable.records, sort: .greaterOrEqual(.number(expected)),
            limit: Self.blocksTogether)
        var noted: Int64 = 0
        reading: while true {
            let page = try store.query(query)
            for item in page.items {
                guard let first = item[AuditTable.sort]?.int64Value, first <= state.sequence else { break reading }
                try check(item, first)
            }
            let isStopped = note(report.records - noted)
            noted = report.records
            if isStopped { break }
            guard let next = page.lastEvaluatedKey else { break }
            query.exclusiveStart = next
        }
        if expected - 1 < state.sequence {
            report.note("the records \(expected) to \(state.sequence) are missing at the end")
        } else if mark != state.mark {
            report.note("the log is said to end with another record \(state.sequence) than it does")
        }
        report.head = AuditHead(sequence: expected - 1, mark: mark, time: .systemClock)
        checkHeads(upTo: expected - 1)
        return report
    }

    /// Finds out where the chain begins.
    private mutating func begin() throws(TableError) {
        guard let checkpoint = try AuditCheckpoint.read(store) else { return }
        if !checkpoint.isSealed(with: seal) {
            report.note(
                "what says that records up to \(checkpoint.sequence) were removed is not sealed with this server's key")
        }
        report.expired = checkpoint.sequence
        (expected, mark) = (checkpoint.sequence + 1, checkpoint.mark)
        compare(checkpoint.sequence)
    }

    private mutating func check(_ item: Item, _ first: Int64) throws(TableError) {
        if first != expected {
            report.note(
                first > expected
                    ? "the records \(expected) to \(first - 1) are missing"
                    : "records are stored twice, or in another place than theirs, from \(first) on")
            expected = first
        }
        guard let block = AuditBlock(item: item) else {
            report.note("the records from \(first) on cannot be read")
            // Where the next ones begin is not known from here.
            return
        }
        if report.first == 0 { report.first = first }
        var terms: [AuditTerm: [Int]] = [:]
        for (place, record) in block.records.enumerated() {
            check(record)
            if let read = try? AuditRecord(stored: record.bytes, mark: record.mark) {
                for term in read.entry.terms { terms[term, default: []].append(place) }
            }
            compare(expected)
            expected += 1
        }
        try checkPostings(of: block, terms)
    }

    private mutating func check(_ stored: AuditBlock.Stored) {
        report.records += 1
        do throws(AuditRecord.Malformed) {
            let record = try AuditRecord(stored: stored.bytes, mark: stored.mark)
            if record.sequence != expected {
                report.note("in the place of record \(expected) is record \(record.sequence)")
            }
        } catch {
            report.note("what is stored as record \(expected) \(error.reason)")
        }
        if seal.mark(of: stored.bytes, after: mark) != stored.mark {
            report.note(
                "record \(expected) is not what was stored, or does not follow on the record before it")
        }
        // From here on what follows is held against what is there: one record that was changed is one problem.
        mark = stored.mark
    }

    private mutating func checkPostings(of block: AuditBlock, _ terms: [AuditTerm: [Int]]) throws(TableError) {
        let all = Array(terms)
        for start in stride(from: 0, to: all.count, by: 100) {
            let some = all[start..<min(start + 100, all.count)]
            let items = try store.getItems(
                table: AuditTable.name, keys: some.map { AuditTable.posting($0.key, block.first) })
            for ((term, places), item) in zip(some, items) where item.flatMap(AuditPosting.read)?.places != places {
                report.note(
                    "records \(block.first) to \(block.last) are not all found by \(term.kind.rawValue) \(term.value)")
            }
        }
    }

    // MARK: - Heads

    /// Compares the record just looked at with what was kept of it elsewhere.
    private mutating func compare(_ sequence: Int64) {
        guard let head = heads[sequence], head.mark != mark else { return }
        report.note(
            "record \(sequence) is another than the one that the head of \(head.time.rfc3339) was taken of: the log "
                + "was written anew since")
    }

    private mutating func checkHeads(upTo end: Int64) {
        for head in heads.values.sorted(by: { $0.sequence < $1.sequence }) where head.sequence > end {
            report.note(
                "the log ends with record \(end), and at \(head.time.rfc3339) it had \(head.sequence): its end was "
                    + "cut off")
        }
    }
}
