import DynamoModel

/// The continuous backups of one table: images of it from time to time, its bases, and a log of every change since the
/// first of them. Confined to the archive's queue.
///
/// | file | holds |
/// |---|---|
/// | `continuous/{life}/base-{sequence}.image` | the table after the change of this sequence |
/// | `continuous/{life}/log-{sequence}.log` | the changes after that of this sequence, up to the next segment |
/// | the same with `.damaged` at the end | such a file, kept aside; what can be read of a segment is still used |
///
/// A life begins when continuous backups are turned on, and ends when they are turned off. Where changes are missing
/// from the log, a base behind them is made, and the life goes on.
struct ContinuousLog {
    /// What there is, and what can be restored from it. Its `position` is the last change of the store that was looked
    /// at: those of the table up to there are in the log, on disk.
    private(set) var contents: LogContents
    /// The last change of the store of which the files say that it was looked at.
    private(set) var notedPosition: Int64
    /// Whether the store has the inventory as it is.
    var isInventoryStored = false

    private var blocks: BlockWriter
    /// Where the last block begins that is on disk. It ends at `contents.writtenBytes`.
    private var lastBlock: Int
    /// When the last change in the log was committed.
    private var lastTime: Int64
    private var noteAt: Int64 = 0
    /// After a failed write or sync it is unknown what is behind the last block: it is cut off before anything is
    /// written.
    private var isInDoubt = false

    /// The table.
    var table: String { contents.table }
    /// Which of the table's lives it is.
    var life: String { contents.life }
    private var vault: BackupVault { contents.vault }
    private var position: Int64 { contents.position }

    /// How much log there may be behind a base, in bytes, before the next base: at least as much as the base has.
    private static let logBytesMin = 64 * 1024 * 1024
    /// How much log is worth a base.
    private static let logBytesWorthwhile = 4096
    /// How long a base is the newest one at most, in days.
    private static let baseDaysMax = 7
    /// How often a log without changes says up to where it is complete, in milliseconds.
    private static let noteInterval: Int64 = 3_600_000
    /// How long a point in time stays restorable at most, in milliseconds.
    static let retentionMax = retention(days: ContinuousBackups.recoveryPeriodDaysMax)

    static func retention(days: Int) -> Int64 { Int64(days) * 24 * 3600 * 1000 }

    /// The folder of a life.
    static func folder(_ life: String) -> String { "\(parentFolder)/\(life)" }
    /// The folder of all lives.
    static let parentFolder = "continuous"

    private func path(_ name: String) -> String { "\(Self.folder(life))/\(name)" }

    /// Begins a log with an image of the table.
    init(
        beginning life: String, of table: String, _ parts: OpenStore, isCancelled: () -> Bool
    ) throws(TableError) {
        let base = try Self.makeBase(life, table, parts, isCancelled)
        let position = base.image.sequence
        let file = LogFileName(.segment, position)
        blocks = try Self.begin(life, file, parts.vault)
        contents = LogContents(
            table: table, life: life, vault: parts.vault, bases: [base], segments: [], inventory: LogInventory(),
            position: position, writtenBytes: blocks.position, completeAt: base.image.createdAt)
        notedPosition = position
        (lastBlock, lastTime) = (BlockFile.start, base.image.committedAt)
        note(base)
        add(file)
    }

    /// Goes on with a log that was looked at.
    private init(_ contents: LogContents, _ blocks: BlockWriter, _ end: LogSurvey.End?) {
        self.contents = contents
        notedPosition = contents.position
        self.blocks = blocks
        lastBlock = end?.lastBlock ?? BlockFile.start
        lastTime = end?.time ?? contents.bases.last?.image.committedAt ?? 0
    }

    /// Every change up to the present position is in the log since `time`, in milliseconds since 1970.
    mutating func isComplete(at time: Int64) { contents.completeAt = time }

    /// Gives it another recovery period.
    mutating func setRecoveryPeriod(days: Int) { contents.recoveryPeriodDays = days }
}

// MARK: - Opening

extension ContinuousLog {
    /// How a log can be gone on with.
    enum Opening {
        case log(ContinuousLog)
        /// There is nothing of it: it was never begun.
        case nothing
        /// It has changes that the store does not have: the store is another one than it was.
        case ahead
    }

    /// Opens a log. What a crash has left of a write is cut off where the change stream has it. What is damaged is kept
    /// aside and noted; where changes are missing for it, `renewBase` makes a base behind them.
    ///
    /// - Parameters:
    ///   - life: which life of the table it is of.
    ///   - inventory: what files there should be; nil when that is not known.
    ///   - stream: the first and the last change in the change stream.
    /// - Throws: `storage` when a file cannot be read or written.
    static func open(
        _ life: String, of table: String, _ vault: BackupVault, _ inventory: LogInventory?,
        _ stream: (first: Int64, last: Int64)
    ) throws(TableError) -> Opening {
        let survey = try LogSurvey(life, vault, inventory, .ends)
        guard inventory != nil || !survey.bases.isEmpty || survey.end != nil else { return .nothing }
        if max(survey.end?.sequence ?? 0, survey.bases.last?.image.sequence ?? 0) > stream.last { return .ahead }
        let recovery = LogRecovery(survey, stream)
        var known = inventory ?? LogInventory()
        try known.adopt(survey, vault)
        for damage in recovery.damages { try keepAside(damage.file, in: life, vault) }
        var contents = LogContents(life, table, vault, survey, known, recovery)
        contents.followAside(recovery.damages)
        guard !recovery.beginsAnew, let last = contents.segments.last, let file = try vault.open(last.path) else {
            let name = LogFileName(.segment, recovery.position)
            var log = ContinuousLog(contents, try begin(life, name, vault), survey.end)
            log.add(name)
            return .log(log)
        }
        if survey.end?.torn != nil {
            try file.truncate(to: recovery.bytes)
            try file.synchronize()
        }
        return .log(ContinuousLog(contents, BlockWriter(continuing: file, at: recovery.bytes), survey.end))
    }

    private static func keepAside(_ file: LogFileName, in life: String, _ vault: BackupVault) throws(TableError) {
        let names = try vault.files(in: folder(life))
        guard names.contains(file.text) else { return }
        if names.contains(file.aside) {
            // Damaged twice: the file that was made in the place of the first.
            try vault.rename("\(folder(life))/\(file.aside)", to: "\(folder(life))/\(file.aside).first")
        }
        try vault.rename("\(folder(life))/\(file.text)", to: "\(folder(life))/\(file.aside)")
    }
}

extension LogContents {
    /// Names the segments as they are now that were kept aside.
    fileprivate mutating func followAside(_ damages: [LogInventory.Damage]) {
        for index in segments.indices where damages.contains(where: { $0.file == segments[index].file }) {
            segments[index].path = "\(ContinuousLog.folder(life))/\(segments[index].file.aside)"
        }
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
    mutating func append(_ records: [StoredChange], upTo position: Int64, now: Int64) throws(TableError) {
        let isNoteDue = now >= noteAt && position > notedPosition
        if records.isEmpty, !isNoteDue {
            contents.position = position
            return
        }
        try cutBack()
        let lastDurableBlock = lastBlock
        do throws(TableError) {
            var content: [UInt8] = []
            for record in records {
                LogSegment.append(record, to: &content)
                if content.count >= BlockFile.contentBytes {
                    try write(LogSegment.changes, content)
                    content.removeAll(keepingCapacity: true)
                }
            }
            if !content.isEmpty { try write(LogSegment.changes, content) }
            if isNoteDue || records.last?.sequence != position { try writeNote(position) }
            try blocks.file.synchronize()
        } catch {
            (isInDoubt, lastBlock) = (true, lastDurableBlock)
            // At once, so that a server that ends now leaves a log that can be read; else before the next write.
            try? cutBack()
            throw error
        }
        contents.writtenBytes = blocks.position
        contents.position = position
        notedPosition = position
        lastTime = records.last?.committedAt ?? lastTime
        noteAt = now + Self.noteInterval
    }

    /// Lets the files say that the log is complete up to `position`.
    mutating func note(now: Int64) throws(TableError) {
        guard position > notedPosition else { return }
        noteAt = 0
        try append([], upTo: position, now: now)
    }

    private mutating func write(_ kind: UInt8, _ content: [UInt8]) throws(TableError) {
        let start = blocks.position
        try blocks.append(kind, content)
        lastBlock = start
    }

    private mutating func writeNote(_ position: Int64) throws(TableError) {
        var content: [UInt8] = []
        RecordWriter.append(position, to: &content)
        try write(LogSegment.note, content)
    }

    /// After a failed write: cuts off what is behind the last block that is known to be on disk.
    private mutating func cutBack() throws(TableError) {
        guard isInDoubt else { return }
        try blocks.file.truncate(to: contents.writtenBytes)
        try blocks.file.synchronize()
        blocks = BlockWriter(continuing: blocks.file, at: contents.writtenBytes)
        isInDoubt = false
    }

    /// Ends the segment and begins another, unless there is nothing in it.
    private mutating func beginSegment() throws(TableError) {
        try cutBack()
        let file = LogFileName(.segment, notedPosition)
        guard let ended = contents.segments.last, ended.file != file else { return }
        // What ends has to be readable: as long as it should be, and whole at its end.
        let bytes = contents.writtenBytes
        var isWhole = try blocks.file.size() == bytes
        if isWhole { isWhole = try isBlock(at: lastBlock) }
        let damages =
            isWhole
            ? []
            : try LogSurvey.damages(
                of: blocks.file, ended.file, until: notedPosition, since: ended.time, bytes: bytes, {}
            ).damages
        blocks = try Self.begin(life, file, vault)
        contents.inventory.files[ended.file]?.bytes = bytes
        add(file)
        learn(damages)
    }

    private func isBlock(at offset: Int) throws(TableError) -> Bool {
        var reader = try BlockReader(blocks.file, end: contents.writtenBytes)
        reader.seek(to: offset)
        do throws(TableError) {
            let block = try reader.next()
            return block != nil && reader.position == contents.writtenBytes
        } catch {
            guard case .backup(.damaged) = error else { throw error }
            return false
        }
    }

    /// A segment was begun.
    private mutating func add(_ file: LogFileName) {
        // In the place of one of which nothing is needed any more.
        contents.segments.removeAll { $0.file == file }
        contents.segments.append(LogContents.Segment(file: file, path: path(file.text), time: lastTime))
        contents.inventory.files[file] = LogInventory.File(bytes: nil, time: lastTime)
        (lastBlock, contents.writtenBytes) = (BlockFile.start, blocks.position)
        isInventoryStored = false
    }

    /// A base was made.
    private mutating func note(_ base: LogContents.FullImage) {
        contents.inventory.files[LogFileName(.base, base.image.sequence)] = LogInventory.File(
            bytes: base.sizeBytes, time: base.image.createdAt)
        isInventoryStored = false
    }

    private static func begin(
        _ life: String, _ name: LogFileName, _ vault: BackupVault
    ) throws(TableError) -> BlockWriter {
        let path = "\(folder(life))/\(name.text)"
        let file = try vault.draft(path)
        var blocks = try BlockWriter(file, .log)
        var content: [UInt8] = []
        RecordWriter.append(name.sequence, to: &content)
        try blocks.append(LogSegment.head, content)
        try vault.publish(file, as: path)
        return blocks
    }
}

// MARK: - Damage, bases, and what is too old

extension ContinuousLog {
    /// Notes damage that was found, and keeps the files aside. What is already known is not noted again, nor what is
    /// not there any more.
    ///
    /// - Parameters:
    ///   - damages: the damage.
    ///   - stream: the first and the last change in the change stream. What it still has of a damaged last segment is
    ///     taken from there again.
    mutating func note(
        _ damages: [LogInventory.Damage], _ stream: (first: Int64, last: Int64)
    ) throws(TableError) {
        let last = contents.segments.last?.file
        let (ofLast, others) = (damages.filter { $0.file == last }, damages.filter { $0.file != last })
        learn(others)
        guard let last, let after = ofLast.map(\.after).min(), after < notedPosition else { return }
        if after >= stream.last || stream.first <= after + 1 {
            (contents.position, notedPosition) = (after, after)
        }
        try Self.keepAside(last, in: life, vault)
        let file = LogFileName(.segment, notedPosition)
        let next = try Self.begin(life, file, vault)
        contents.inventory.files[last]?.bytes = contents.writtenBytes
        blocks = next
        isInDoubt = false
        // The new one may have the name that the old one had.
        contents.followAside(ofLast)
        contents.learn(ofLast.map { $0.upTo(min($0.upTo, notedPosition)) })
        add(file)
    }

    private mutating func learn(_ damages: [LogInventory.Damage]) {
        let new = damages.filter { contents.inventory.files[$0.file].map { !$0.isDamaged } ?? false }
        guard !new.isEmpty else { return }
        for damage in new {
            // A name is for people: a file that cannot be renamed now is as good under its old one.
            if (try? Self.keepAside(damage.file, in: life, vault)) != nil { contents.followAside([damage]) }
        }
        contents.learn(new)
        isInventoryStored = false
    }

    /// Makes a new base where the log has become long, the last base is old, or changes are missing behind it.
    mutating func renewBase(_ parts: OpenStore, isCancelled: () -> Bool) throws(TableError) {
        guard isBaseDue(parts) else { return }
        // First the segment: a base is never made in vain for want of it.
        if blocks.position > Self.logBytesWorthwhile { try beginSegment() }
        let base = try Self.makeBase(life, table, parts, isCancelled)
        contents.bases.removeAll { $0.image.sequence == base.image.sequence }
        contents.bases.append(base)
        note(base)
    }

    private func isBaseDue(_ parts: OpenStore) -> Bool {
        guard let last = contents.bases.last else { return true }
        if contents.inventory.gaps.contains(where: { $0.upTo > last.image.sequence }) { return true }
        let bytes = logBytes(behind: last.image.sequence)
        guard bytes > Self.logBytesWorthwhile else { return false }
        let madeAt = parts.time.history.inPresentTime(last.image.createdAt, behind: last.image.sequence)
        return bytes > max(Self.logBytesMin, last.sizeBytes)
            || parts.clock() - madeAt > Self.retention(days: min(Self.baseDaysMax, contents.recoveryPeriodDays))
    }

    /// How much log is read for what is restored from a base.
    private func logBytes(behind sequence: Int64) -> Int {
        let first = contents.segments.lastIndex { $0.file.sequence <= sequence } ?? 0
        let ended = contents.segments[first..<(contents.segments.count - 1)]
        return ended.reduce(blocks.position) { $0 + (contents.inventory.files[$1.file]?.bytes ?? 0) }
    }

    /// Forgets what no restorable point in time needs any more.
    ///
    /// - Parameters:
    ///   - now: the time as far as things may be forgotten by it.
    ///   - history: the jumps of the clock.
    /// - Returns: the paths of the files to remove, once the inventory is stored.
    mutating func prune(now: Int64, _ history: ClockHistory) -> [String] {
        let oldest = now - Self.retention(days: contents.recoveryPeriodDays)
        // A base that says less than the one before it was made under a clock that was behind.
        var ages: [Int64] = []
        for base in contents.bases {
            let made = history.inPresentTime(base.image.createdAt, behind: base.image.sequence)
            ages.append(max(made, ages.last ?? .min))
        }
        let kept = max(0, (ages.lastIndex { $0 <= oldest } ?? 0))
        contents.bases.removeFirst(kept)
        guard let first = contents.bases.first?.image.sequence, ages.indices.contains(kept) else { return [] }
        while contents.segments.count > 1, contents.segments[1].file.sequence <= first {
            contents.segments.removeFirst()
        }
        contents.inventory.damages.removeAll { damage in
            let end = contents.bases.firstIndex { $0.image.sequence >= damage.upTo }
            return end.map { ages[kept + $0] <= oldest } ?? false
        }
        let named = Set(contents.inventory.damages.map(\.file))
        let inUse = Set(contents.bases.map { LogFileName(.base, $0.image.sequence) } + contents.segments.map(\.file))
        let gone = contents.inventory.files.keys.filter { !inUse.contains($0) && !named.contains($0) }
        guard !gone.isEmpty else { return [] }
        for file in gone { contents.inventory.files[file] = nil }
        isInventoryStored = false
        return gone.flatMap { [path($0.text), path($0.aside)] }
    }

    private static func makeBase(
        _ life: String, _ table: String, _ parts: OpenStore, _ isCancelled: () -> Bool
    ) throws(TableError) -> LogContents.FullImage {
        // The name says which change is the last one in it, which is known only afterwards; so it is renamed.
        let label = TableImage.Label(id: life, name: table, kind: .system)
        let draft = "\(folder(life))/new-base.image"
        // What the program keeps beside the table stays in the store, the only one that a base is for.
        let (image, size) = try parts.writeImage(
            of: table, to: draft, label, includesCompanions: false, isCancelled: isCancelled)
        let path = "\(folder(life))/\(LogFileName(.base, image.sequence).text)"
        try parts.vault.rename(draft, to: path)
        return LogContents.FullImage(path: path, image: image, sizeBytes: size)
    }
}
