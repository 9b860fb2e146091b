import DynamoModel

/// Reads a segment of a log, and goes on behind damage.
struct LogSegmentReader {
    /// The last change that was read, or the one after which the segment begins.
    private(set) var lastSequence: Int64
    /// When the last change was committed; nil while none was read.
    private(set) var lastCommittedAt: Int64?
    /// Where the block begins that is read next.
    var position: Int { blocks.position }
    /// Where the last good block begins.
    private(set) var lastBlock = BlockFile.start

    private let after: Int64
    private var blocks: BlockReader
    private var isBegun = false
    /// The block behind damage that was told of before it.
    private var following: [StoredChange]?

    private static let kinds = LogSegment.head...LogSegment.note

    /// What a segment holds, piece by piece.
    enum Piece {
        /// Changes in order; none where the segment says that there were none.
        case changes([StoredChange])
        /// Bytes that are not what was written.
        case damage(Damage)
    }

    /// Bytes of a segment that are not what was written.
    struct Damage: Sendable, Equatable {
        /// Where they begin.
        let byte: Int
        /// What is wrong.
        let reason: String
        /// The last change before them.
        let after: Int64
        /// When that was committed; nil when none is known.
        let since: Int64?
        /// The last change that may be missing for them; nil when nothing is behind them that tells.
        let upTo: Int64?
        /// Whether more that may be good is behind them.
        let goesOn: Bool
    }

    /// Opens a segment, up to `end` or as far as it goes.
    ///
    /// - Parameter after: the change after which it begins, by its name.
    init(_ file: StoredFile, after: Int64, end: Int? = nil) throws(TableError) {
        blocks = try BlockReader(file, end: end)
        self.after = after
        lastSequence = after
    }

    /// The next piece, nil at the end.
    ///
    /// - Throws: `storage` when the file cannot be read.
    mutating func next() throws(TableError) -> Piece? {
        if let following {
            self.following = nil
            return .changes(following)
        }
        if !isBegun {
            isBegun = true
            if try !blocks.isKind(.log) {
                return .damage(damage(at: 0, "it does not begin as such a file does", upTo: after, goesOn: true))
            }
        }
        let start = position
        switch try read() {
        case .end: return nil
        case .records(let records): return .changes(records)
        case .damaged(let reason, let continuation):
            return .damage(try damage(at: start, reason, continuation))
        }
    }

    private enum Reading {
        case end
        case records([StoredChange])
        case damaged(String, BlockReader.Continuation)
    }

    /// Reads a block, or goes behind a damaged one.
    private mutating func read() throws(TableError) -> Reading {
        let start = position
        let block: BlockReader.Block?
        do throws(TableError) {
            block = try blocks.next()
        } catch {
            guard case .backup(.damaged(_, let reason)) = error else { throw error }
            return .damaged(reason, try blocks.skipDamage(Self.kinds))
        }
        guard let block else { return .end }
        guard let records = records(block, isFirst: start == BlockFile.start) else {
            return .damaged("the block at byte \(start) holds something else than it should", .next)
        }
        lastBlock = start
        return .records(records)
    }

    /// Tells of damage by what follows it, which is kept for the next call.
    private mutating func damage(
        at byte: Int, _ reason: String, _ continuation: BlockReader.Continuation
    ) throws(TableError) -> Damage {
        // The first block holds no changes.
        if continuation == .next, byte == BlockFile.start {
            return damage(at: byte, reason, upTo: after, goesOn: true)
        }
        let (after, since) = (lastSequence, lastCommittedAt)
        var continuation = continuation
        // Several in a row are told as one.
        while continuation == .next || continuation == .found {
            switch try read() {
            case .end: continuation = .nothing
            case .damaged(_, let further): continuation = further
            case .records(let records):
                following = records
                let upTo = records.first.map { $0.sequence - 1 } ?? lastSequence
                return Damage(byte: byte, reason: reason, after: after, since: since, upTo: upTo, goesOn: true)
            }
        }
        return damage(at: byte, reason, upTo: nil, goesOn: continuation == .unknown)
    }

    private func damage(at byte: Int, _ reason: String, upTo: Int64?, goesOn: Bool) -> Damage {
        Damage(byte: byte, reason: reason, after: lastSequence, since: lastCommittedAt, upTo: upTo, goesOn: goesOn)
    }

    /// The changes of a block, nil when it is none that can follow the ones before.
    private mutating func records(_ block: BlockReader.Block, isFirst: Bool) -> [StoredChange]? {
        var content = RecordReader(block.content)
        switch block.kind {
        case LogSegment.head:
            guard isFirst, content.number() == after, content.isAtEnd else { return nil }
            return []
        case LogSegment.note:
            guard let sequence = content.number(), content.isAtEnd, sequence >= lastSequence,
                TableImage.numbers.contains(sequence)
            else { return nil }
            lastSequence = sequence
            return []
        case LogSegment.changes:
            var (last, time) = (lastSequence, lastCommittedAt)
            var records: [StoredChange] = []
            while !content.isAtEnd {
                guard let record = content.record(), record.sequence > last else { return nil }
                (last, time) = (record.sequence, record.committedAt)
                records.append(record)
            }
            (lastSequence, lastCommittedAt) = (last, time)
            return records
        default: return nil
        }
    }
}

extension RecordReader {
    /// The next change of a log; nil when there is something else.
    fileprivate mutating func record() -> StoredChange? {
        guard let sequence = number(), let committedAt = number(), let key = content(), let kind = number(),
            let content = kind == 0 ? .some(nil) : self.content().map(Optional.some),
            TableImage.numbers.contains(sequence), TableImage.numbers.contains(committedAt)
        else { return nil }
        return StoredChange(sequence: sequence, committedAt: committedAt, key: key, content: content)
    }
}
