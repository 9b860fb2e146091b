/// The continuous backups of one table: images of it from time to time, its bases, and a log of every change since the
/// first of them. Confined to the archive's queue.
///
/// | file | holds |
/// |---|---|
/// | `continuous/{life}/base-{sequence}.image` | the table after the change of this sequence |
/// | `continuous/{life}/log-{sequence}.log` | the changes after that of this sequence, up to the next segment |
///
/// A life begins when continuous backups are turned on, and ends when they are turned off or changes are missing.
struct ContinuousLog {
    /// The table.
    let table: String
    /// Which of the table's lives it is.
    let life: String
    /// The images, the oldest first; at least one.
    private(set) var bases: [FullImage]
    /// The last change of the store that was looked at: those of the table up to here are in the log, on disk.
    private(set) var position: Int64
    /// The last change of the store of which the files say that it was looked at.
    private(set) var notedPosition: Int64

    /// How many days a point in time stays restorable.
    var recoveryPeriodDays = ContinuousBackups.recoveryPeriodDaysMax

    private let vault: BackupVault
    private var segments: [Segment]
    private var blocks: BlockWriter
    private var noteAt: Int64 = 0
    /// After a failed write or sync it is unknown what the segment's end is: the next write begins another.
    private var isInDoubt = false

    /// An image.
    struct FullImage: Sendable {
        let name: String
        let image: TableImage
        let sizeBytes: Int
    }

    private struct Segment {
        let name: String
        let after: Int64
    }

    /// How much log there may be behind a base, in bytes, before the next base: at least as much as the base has.
    private static let logBytesMin = 64 * 1024 * 1024
    /// How long a base is the newest one at most, in days.
    private static let baseDaysMax = 7
    /// How often a log without changes says up to where it is complete, in milliseconds.
    private static let noteInterval: Int64 = 3_600_000
    /// How long a point in time stays restorable at most, in milliseconds.
    static let retentionMax = retention(days: ContinuousBackups.recoveryPeriodDaysMax)

    private static func retention(days: Int) -> Int64 { Int64(days) * 24 * 3600 * 1000 }

    /// The folder of a life.
    static func folder(_ life: String) -> String { "\(parentFolder)/\(life)" }
    /// The folder of all lives.
    static let parentFolder = "continuous"

    /// Begins a log with an image of the table.
    init(
        beginning life: String, of table: String, _ parts: StoreParts, isCancelled: () -> Bool
    ) throws(TableError) {
        let base = try Self.makeBase(life, table, parts, isCancelled)
        vault = parts.vault
        self.life = life
        self.table = table
        bases = [base]
        position = base.image.sequence
        notedPosition = position
        (segments, blocks) = ([], try Self.begin(life, after: position, vault))
        segments = [Segment(name: Self.segmentName(life, position), after: position)]
    }

    /// Opens a log that exists, and cuts off what a crash has left of a write; nil when it was never begun.
    ///
    /// - Throws: `backup(.damaged)`, `storage`.
    init?(opening life: String, of table: String, _ vault: BackupVault) throws(TableError) {
        var bases: [FullImage] = []
        var segments: [Segment] = []
        for name in try vault.files(in: Self.folder(life)) {
            let path = "\(Self.folder(life))/\(name)"
            guard let file = try vault.open(path) else { continue }
            if name.hasPrefix("base-") {
                let reader = try ImageReader(file)
                bases.append(FullImage(name: path, image: reader.image, sizeBytes: reader.sizeBytes))
            } else if name.hasPrefix("log-") {
                segments.append(Segment(name: path, after: try LogSegmentReader(file).after))
            }
        }
        guard !bases.isEmpty, let last = segments.last, let file = try vault.open(last.name) else { return nil }
        self.vault = vault
        self.life = life
        self.table = table
        self.bases = bases
        self.segments = segments
        let end = try Self.recover(file)
        blocks = BlockWriter(continuing: file, at: end.bytes)
        position = max(end.sequence, 0)
        notedPosition = position
    }
}

// MARK: - Writing

extension ContinuousLog {
    /// Writes changes of the table; when this returns, they are on disk.
    ///
    /// - Parameters:
    ///   - records: changes behind `position`, in order.
    ///   - position: the last change of the store that was looked at.
    ///   - now: the time in milliseconds since 1970.
    mutating func append(_ records: [LogRecord], upTo position: Int64, now: Int64) throws(TableError) {
        let isNoteDue = now >= noteAt && position > notedPosition
        if records.isEmpty, !isNoteDue {
            self.position = position
            return
        }
        try beginAfterDoubt()
        do throws(TableError) {
            var content: [UInt8] = []
            for record in records {
                LogSegment.append(record, to: &content)
                if content.count >= BlockFile.contentBytes {
                    try blocks.append(LogSegment.changes, content)
                    content.removeAll(keepingCapacity: true)
                }
            }
            if !content.isEmpty { try blocks.append(LogSegment.changes, content) }
            if isNoteDue || records.last?.sequence != position { try writeNote(position) }
            try blocks.file.synchronize()
        } catch {
            isInDoubt = true
            throw error
        }
        self.position = position
        notedPosition = position
        noteAt = now + Self.noteInterval
    }

    /// Lets the files say that the log is complete up to `position`.
    mutating func note(now: Int64) throws(TableError) {
        guard position > notedPosition else { return }
        noteAt = 0
        try append([], upTo: position, now: now)
    }

    private mutating func writeNote(_ position: Int64) throws(TableError) {
        var content: [UInt8] = []
        RecordWriter.append(position, to: &content)
        try blocks.append(LogSegment.note, content)
    }

    private mutating func beginAfterDoubt() throws(TableError) {
        guard isInDoubt else { return }
        try beginSegment(after: notedPosition)
        isInDoubt = false
    }

    private mutating func beginSegment(after: Int64) throws(TableError) {
        blocks = try Self.begin(life, after: after, vault)
        let segment = Segment(name: Self.segmentName(life, after), after: after)
        segments.removeAll { $0.name == segment.name }
        segments.append(segment)
    }

    /// Makes a new base where the log has become long or the last base is old.
    mutating func renewBase(_ parts: StoreParts, isCancelled: () -> Bool) throws(TableError) {
        guard let last = bases.last, blocks.position > 4096, isBaseDue(last, now: parts.clock()) else { return }
        let base = try Self.makeBase(life, table, parts, isCancelled)
        if base.image.sequence > last.image.sequence { bases.append(base) }
        try beginSegment(after: notedPosition)
    }

    private func isBaseDue(_ last: FullImage, now: Int64) -> Bool {
        blocks.position > max(Self.logBytesMin, last.sizeBytes)
            || now - last.image.createdAt > Self.retention(days: min(Self.baseDaysMax, recoveryPeriodDays))
    }

    /// Removes what no restorable point in time needs any more.
    mutating func prune(now: Int64) throws(TableError) {
        let oldest = now - Self.retention(days: recoveryPeriodDays)
        while bases.count > 1, bases[1].image.createdAt <= oldest {
            try vault.remove(bases[0].name)
            bases.removeFirst()
        }
        guard let first = bases.first?.image.sequence else { return }
        while segments.count > 1, segments[1].after <= first {
            try vault.remove(segments[0].name)
            segments.removeFirst()
        }
    }

    private static func makeBase(
        _ life: String, _ table: String, _ parts: StoreParts, _ isCancelled: () -> Bool
    ) throws(TableError) -> FullImage {
        // The name says which change is the last one in it, which is known only afterwards; so it is renamed.
        let label = TableImage.Label(id: life, name: table, kind: .system)
        let draft = "\(folder(life))/new-base.image"
        let (image, size) = try parts.writeImage(of: table, to: draft, label, isCancelled: isCancelled)
        let name = "\(folder(life))/base-\(padded(image.sequence)).image"
        try parts.vault.rename(draft, to: name)
        return FullImage(name: name, image: image, sizeBytes: size)
    }

    private static func begin(_ life: String, after: Int64, _ vault: BackupVault) throws(TableError) -> BlockWriter {
        let name = segmentName(life, after)
        let file = try vault.draft(name)
        var blocks = try BlockWriter(file, .log)
        var content: [UInt8] = []
        RecordWriter.append(after, to: &content)
        try blocks.append(LogSegment.head, content)
        try vault.publish(file, as: name)
        return blocks
    }

    private static func segmentName(_ life: String, _ after: Int64) -> String {
        "\(folder(life))/log-\(padded(after)).log"
    }

    private static func padded(_ number: Int64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }
}

// MARK: - Reading

extension ContinuousLog {
    /// The times that the table can be restored to, in milliseconds since 1970.
    func restorable(now: Int64) -> ClosedRange<Int64> {
        let earliest = max(bases[0].image.createdAt, now - Self.retention(days: recoveryPeriodDays))
        return earliest...max(earliest, now)
    }

    /// What the table is restored from to be as it was at a time, which must be restorable.
    func source(until time: Int64) throws(TableError) -> RestoreSource {
        try source(until: time, from: bases.last { $0.image.committedAt <= time } ?? bases[0])
    }

    /// What the table is restored from, beginning with one of the bases.
    func source(until time: Int64, from base: FullImage) throws(TableError) -> RestoreSource {
        guard let image = try vault.open(base.name) else { throw .damaged(vault.path(base.name), "the file is gone") }
        var source = RestoreSource(image: image, until: time)
        let first = segments.lastIndex { $0.after <= base.image.sequence } ?? 0
        for (index, segment) in segments.enumerated() where index >= first {
            guard let file = try vault.open(segment.name) else {
                throw .damaged(vault.path(segment.name), "the file is gone")
            }
            let end = index == segments.count - 1 ? blocks.position : try file.size()
            source.segments.append(RestoreSource.Segment(file: file, end: end))
        }
        return source
    }

    /// Finds where a segment ends, and cuts off what is no whole block: a write that was under way in a crash.
    private static func recover(_ file: StoredFile) throws(TableError) -> (sequence: Int64, bytes: Int) {
        var reader = try LogSegmentReader(file)
        do throws(TableError) {
            while try reader.next() != nil {}
        } catch {
            guard case .backup(.damaged) = error else { throw error }
            try file.truncate(to: reader.position)
            try file.synchronize()
        }
        return (reader.lastSequence, reader.position)
    }
}
