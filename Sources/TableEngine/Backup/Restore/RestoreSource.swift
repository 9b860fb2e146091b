import DynamoModel

/// What a table is restored from: an image, and the changes behind it up to a moment.
struct RestoreSource: Sendable {
    /// The image's file.
    let image: StoredFile
    /// The settings by which its content has to be read: those that the store has not, it gets.
    var settings: [String: String] = [:]
    /// The segments of the log that follow it, in order.
    var segments: [Segment] = []
    /// The changes that are taken.
    var moment = Moment.latest
    /// The last change before what is missing from the log; the moment needs none that is missing.
    var end = Int64.max

    /// A segment, as far as it had been written.
    struct Segment: Sendable {
        let file: StoredFile
        /// The change after which it begins.
        let after: Int64
        /// The change up to which it is read: the next one goes on from there. Nil for the last one.
        let upTo: Int64?
        /// How far it was written; nil for all of it.
        let end: Int?
    }

    /// Gives the changes behind the image, block by block.
    ///
    /// - Parameter after: the last change that is in the image.
    /// - Throws: `backup(.damaged)` when changes are missing that may be some of those to be taken.
    func forEachBlock(
        after: Int64, _ take: ([StoredChange]) throws(TableError) -> Void
    ) throws(TableError) {
        var reached = after
        for segment in segments where reached < end {
            guard segment.after <= reached else {
                throw .damaged(
                    segment.file.path, "the changes from \(reached) to \(segment.after) are missing before it")
            }
            var reader = try LogSegmentReader(segment.file, after: segment.after, end: segment.end)
            let upTo = segment.upTo ?? .max
            while reader.lastSequence < upTo, let piece = try reader.next() {
                switch piece {
                case .changes(let records):
                    let next = records.filter { $0.sequence > reached && $0.sequence <= min(upTo, end) }
                    let taken = next.filter { moment.takes($0.sequence, at: $0.committedAt) }
                    if !taken.isEmpty { try take(taken) }
                    if taken.count < next.count { return }
                case .damage(let damage):
                    if damage.after >= end { return }
                    // Where nothing is missing, or the next segment has it, there is nothing to miss.
                    guard min(damage.upTo ?? .max, upTo) <= max(reached, damage.after) else {
                        throw .damaged(segment.file.path, damage.reason)
                    }
                }
            }
            reached = max(reached, min(reader.lastSequence, upTo))
            if let upTo = segment.upTo, reached < min(upTo, end) {
                throw .damaged(segment.file.path, "the changes from \(reached) to \(upTo) are missing behind it")
            }
        }
    }
}
