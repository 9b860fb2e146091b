import Audit
import FlagCore

/// Picks from blocks the records that are looked for, until a page is full.
struct AuditWalk {
    private let filter: AuditFilter
    private let order: AuditReader.Order
    private let limit: Int
    private var records: [AuditRecord] = []
    /// Blocks that were looked at, and their bytes.
    private(set) var blocks = 0
    private(set) var bytes = 0
    /// Records of them that are not looked for.
    private(set) var missed = 0
    /// Where the next page begins, when this one is full.
    private(set) var end: Int64?

    init(_ filter: AuditFilter, _ order: AuditReader.Order, limit: Int) {
        self.filter = filter
        self.order = order
        self.limit = limit
    }

    /// Whether no record in a block, nor behind it in the order, is late enough.
    func isBehindEnd(_ block: AuditBlock) -> Bool {
        guard order == .newest, let since = filter.since else { return false }
        return block.latest < since.millisecondsSinceEpoch
    }

    /// Looks at records of a block.
    ///
    /// - Parameters:
    ///   - places: which; nil for all.
    ///   - start: the record to begin with.
    ///   - kept: records up to here are gone.
    mutating func look(at block: AuditBlock, _ places: [Int]?, from start: Int64?, keptAfter kept: Int64) {
        blocks += 1
        bytes += block.bytes
        let all = places ?? Array(block.records.indices)
        for place in order == .newest ? all.reversed() : all where block.records.indices.contains(place) {
            let sequence = block.first + Int64(place)
            if let start, order == .newest ? sequence > start : sequence < start { continue }
            guard sequence > kept else { continue }
            if records.count == limit {
                end = sequence
                return
            }
            let stored = block.records[place]
            guard let record = try? AuditRecord(stored: stored.bytes, mark: stored.mark), filter.matches(record.entry)
            else {
                missed += 1
                continue
            }
            records.append(record)
        }
    }

    /// The page.
    func page(next: Int64?) -> AuditPage { AuditPage(records: records, next: next.flatMap { $0 > 0 ? $0 : nil }) }
}
