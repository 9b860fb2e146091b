import DynamoModel

/// What there is of a life of a log, looked at without writing anything.
struct LogSurvey {
    /// How closely is looked.
    enum Depth {
        /// At what is needed to go on: files that were ended are trusted when they are as long as they were.
        case ends
        /// At every byte.
        case everything
    }

    /// The bases that can be read, the oldest first.
    private(set) var bases: [LogContents.FullImage] = []
    /// The segments that there are, the oldest first.
    private(set) var segments: [LogContents.Segment] = []
    /// Damage that the inventory does not tell of.
    private(set) var damages: [LogInventory.Damage] = []
    /// How the last segment ends; nil when there is no segment.
    private(set) var end: End?

    /// The end of the last segment.
    struct End {
        /// The last change of which the segment says that it was looked at.
        var sequence: Int64
        /// When the last change in the log was committed.
        var time: Int64
        /// Where its blocks end.
        var bytes: Int
        /// Where the last block begins.
        var lastBlock: Int
        /// Bytes behind that are no block, and behind which there is none: what a crash has left of a write, or the
        /// last block, damaged.
        var torn: LogInventory.Damage?
        /// Whether a block is damaged that others follow, or the whole segment is gone.
        var isDamaged = false
    }

    private let folder: String
    private let vault: BackupVault
    private let inventory: LogInventory
    private let isInventoryKnown: Bool
    /// The paths of the files that there are. A damaged one may be there beside one that was made in its place.
    private var present: [LogFileName: String] = [:]
    /// Asked after every block whether to go on; it may take its time.
    private let goesOn: () -> Bool

    /// Looks at a life.
    ///
    /// - Parameters:
    ///   - life: which.
    ///   - vault: where its files are.
    ///   - inventory: what there should be; nil when that is not known.
    ///   - depth: how closely is looked.
    ///   - written: while somebody writes it, how far the last segment is written; then files that are not in the
    ///     inventory were begun since, and are not looked at.
    ///   - goesOn: asked after every block whether to go on; it may take its time.
    /// - Throws: `storage` when a file cannot be read, `closed` when it was not gone on.
    init(
        _ life: String, _ vault: BackupVault, _ inventory: LogInventory?, _ depth: Depth, written: Int? = nil,
        goesOn: @escaping () -> Bool = { true }
    ) throws(TableError) {
        folder = ContinuousLog.folder(life)
        self.vault = vault
        self.inventory = inventory ?? LogInventory()
        isInventoryKnown = inventory != nil
        self.goesOn = goesOn
        for name in try vault.files(in: folder) {
            guard let file = LogFileName(name), written == nil || self.inventory.files[file] != nil else { continue }
            let isWanted = name == (isKnown(file) ? file.aside : file.text)
            if isWanted || present[file] == nil { present[file] = "\(folder)/\(name)" }
        }
        forgetRemoved()
        try lookAtBases(depth)
        try lookAtSegments(depth, written: written)
    }

    /// Files that are older than all that there should be were about to be removed.
    private mutating func forgetRemoved() {
        guard let oldest = inventory.bases.first?.sequence else { return }
        let kept = inventory.segments.first?.sequence ?? oldest
        present = present.filter { file, _ in
            inventory.files[file] != nil || file.sequence > (file.kind == .base ? oldest : kept)
        }
    }

    private func files(_ kind: LogFileName.Kind) -> [LogFileName] {
        Set(present.keys).union(inventory.files.keys).filter { $0.kind == kind }.sorted()
    }

    private func isKnown(_ file: LogFileName) -> Bool { inventory.files[file]?.isDamaged ?? false }

    private func rest() throws(TableError) { if !goesOn() { throw .closed } }
}

// MARK: - Bases

extension LogSurvey {
    private mutating func lookAtBases(_ depth: Depth) throws(TableError) {
        for base in files(.base) where !isKnown(base) {
            let time = inventory.files[base]?.time ?? 0
            do throws(TableError) {
                bases.append(try open(base, depth))
            } catch {
                guard case .backup(.damaged(_, let reason)) = error else { throw error }
                damages.append(
                    LogInventory.Damage(
                        file: base, byte: nil, reason: reason, after: base.sequence, since: time, upTo: base.sequence))
            }
        }
    }

    private func open(_ base: LogFileName, _ depth: Depth) throws(TableError) -> LogContents.FullImage {
        guard let path = present[base], let file = try vault.open(path) else {
            throw .damaged(vault.path("\(folder)/\(base.text)"), "the file is gone")
        }
        guard path.hasSuffix(base.text) else { throw .damaged(file.path, "it was kept aside as damaged") }
        var reader = try ImageReader(file)
        guard reader.image.sequence == base.sequence else {
            throw .damaged(file.path, "it is the image of another moment than its name says")
        }
        if depth == .everything { try reader.verify({ () throws(TableError) in try rest() }) }
        return LogContents.FullImage(path: path, image: reader.image, sizeBytes: reader.sizeBytes)
    }
}

// MARK: - Segments

extension LogSurvey {
    private mutating func lookAtSegments(_ depth: Depth, written: Int?) throws(TableError) {
        let files = files(.segment)
        if !isInventoryKnown, let first = files.first, let base = bases.first?.image, first.sequence > base.sequence {
            note(
                first, nil, "the changes behind \(base.sequence) are missing before it", after: base.sequence,
                since: base.createdAt, upTo: first.sequence)
        }
        var time = bases.first?.image.committedAt ?? 0
        for (index, file) in files.enumerated() {
            let next = index + 1 < files.count ? files[index + 1].sequence : nil
            time = inventory.files[file]?.time ?? time
            guard let path = present[file], let stored = try vault.open(path) else {
                if !isKnown(file) {
                    note(file, nil, "the file is gone", after: file.sequence, since: time, upTo: next)
                }
                if next == nil {
                    end = End(sequence: file.sequence, time: time, bytes: 0, lastBlock: 0, isDamaged: true)
                }
                continue
            }
            segments.append(LogContents.Segment(file: file, path: path, time: time))
            var isTrusted = isKnown(file)
            if !isTrusted, depth == .ends { isTrusted = try isAsItWas(stored, file) }
            if next != nil, isTrusted { continue }
            if let next {
                time = try look(stored, file, until: next, time)
            } else {
                try lookAtLast(stored, file, time, written)
            }
        }
    }

    private func isAsItWas(_ stored: StoredFile, _ file: LogFileName) throws(TableError) -> Bool {
        guard let bytes = inventory.files[file]?.bytes else { return false }
        return try stored.size() == bytes
    }

    /// Looks at a segment that another one follows, which begins after the change `next`.
    ///
    /// - Returns: when its last change was committed.
    private mutating func look(
        _ stored: StoredFile, _ file: LogFileName, until next: Int64, _ time: Int64
    ) throws(TableError) -> Int64 {
        let found = try Self.damages(
            of: stored, file, until: next, since: time, bytes: inventory.files[file]?.bytes,
            { () throws(TableError) in try rest() })
        damages += found.damages
        return found.time
    }

    /// Reads a whole segment that another one follows.
    ///
    /// - Parameters:
    ///   - stored: the segment.
    ///   - file: its name.
    ///   - next: the change after which the next one begins.
    ///   - time: when the last change before it was committed.
    ///   - bytes: how long it should be; nil when that is not known.
    ///   - rest: called after each block.
    /// - Returns: what is damaged, and when its last change was committed.
    static func damages(
        of stored: StoredFile, _ file: LogFileName, until next: Int64, since time: Int64, bytes: Int?,
        _ rest: () throws(TableError) -> Void
    ) throws(TableError) -> (damages: [LogInventory.Damage], time: Int64) {
        var reader = try LogSegmentReader(stored, after: file.sequence)
        var damages: [LogInventory.Damage] = []
        var isTold = false
        while let piece = try reader.next() {
            try rest()
            guard case .damage(let damage) = piece else { continue }
            let upTo = min(damage.upTo ?? next, next)
            isTold = isTold || upTo == next
            // A write that failed may have left anything where nothing is needed any more.
            if damage.after >= next, !damage.goesOn { continue }
            damages.append(
                LogInventory.Damage(
                    file: file, byte: damage.byte, reason: damage.reason, after: min(damage.after, next),
                    since: damage.since ?? time, upTo: upTo))
        }
        if reader.lastSequence < next, !isTold {
            damages.append(
                LogInventory.Damage(
                    file: file, byte: reader.position, reason: "it ends before the next segment begins",
                    after: reader.lastSequence, since: reader.lastCommittedAt ?? time, upTo: next))
        }
        if damages.isEmpty, let bytes, try stored.size() != bytes {
            damages.append(
                LogInventory.Damage(
                    file: file, byte: min(bytes, try stored.size()), reason: "it is not as long as it was",
                    after: next, since: reader.lastCommittedAt ?? time, upTo: next))
        }
        return (damages, reader.lastCommittedAt ?? time)
    }

    private mutating func lookAtLast(
        _ stored: StoredFile, _ file: LogFileName, _ time: Int64, _ written: Int?
    ) throws(TableError) {
        var reader = try LogSegmentReader(stored, after: file.sequence, end: written)
        var end = End(sequence: 0, time: time, bytes: 0, lastBlock: 0)
        while let piece = try reader.next() {
            try rest()
            guard case .damage(let damage) = piece else { continue }
            let found = LogInventory.Damage(
                file: file, byte: damage.byte, reason: damage.reason, after: damage.after, since: damage.since ?? time,
                upTo: damage.upTo ?? .max)
            // What is known to be written and cannot be read is no write that was cut off.
            if damage.goesOn || written != nil {
                end.isDamaged = true
                // What it may lack without an end is known when it is known where the stream begins.
                if !isKnown(file) { damages.append(found) }
            } else {
                end.torn = found
            }
        }
        (end.sequence, end.time) = (reader.lastSequence, reader.lastCommittedAt ?? time)
        (end.bytes, end.lastBlock) = (end.torn?.byte ?? reader.position, reader.lastBlock)
        // A segment without its first block is none that could be gone on with.
        if isKnown(file) || end.bytes <= BlockFile.start || present[file]?.hasSuffix(file.aside) ?? false {
            end.isDamaged = true
        }
        self.end = end
    }

    /// Notes damage; without an end, the change stream may have what is missing.
    private mutating func note(
        _ file: LogFileName, _ byte: Int?, _ reason: String, after: Int64, since: Int64, upTo: Int64?
    ) {
        damages.append(
            LogInventory.Damage(
                file: file, byte: byte, reason: reason, after: after, since: since, upTo: upTo ?? .max))
    }
}
