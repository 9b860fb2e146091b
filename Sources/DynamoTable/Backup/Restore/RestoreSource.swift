/// What a table is restored from: an image, and the changes behind it up to a time.
struct RestoreSource: Sendable {
    /// The image's file.
    let image: StoredFile
    /// The segments of the log that follow it, in order.
    var segments: [Segment] = []
    /// The time of the last change that is taken, in milliseconds since 1970.
    var until: Int64 = .max

    /// A segment, as far as it had been written.
    struct Segment: Sendable {
        let file: StoredFile
        let end: Int
    }

    /// Gives the changes behind the image, block by block.
    ///
    /// - Parameter after: the last change that is in the image.
    /// - Throws: `backup(.damaged)`, also when changes are missing between two segments.
    func forEachBlock(
        after: Int64, _ take: ([LogRecord]) throws(TableError) -> Void
    ) throws(TableError) {
        var reached = after
        for segment in segments {
            var reader = try LogSegmentReader(segment.file, end: segment.end)
            guard reader.after <= reached else {
                throw .damaged(segment.file.path, "the changes from \(reached) to \(reader.after) are missing")
            }
            while let records = try reader.next() {
                // After a failed write, a segment may repeat what the one before has.
                let taken = records.filter { $0.sequence > reached && $0.committedAt <= until }
                if !taken.isEmpty { try take(taken) }
                if let last = records.last, last.committedAt > until { return }
            }
            reached = max(reached, reader.lastSequence)
        }
    }
}
