import DynamoModel

/// How a log is gone on with that was looked at.
struct LogRecovery {
    /// The last change that is in it, or is missing from it for good: the change stream has those behind it.
    private(set) var position: Int64
    /// What is damaged, with what is missing for it.
    private(set) var damages: [LogInventory.Damage]
    /// Whether the next write begins a segment.
    private(set) var beginsAnew: Bool
    /// Where in the last segment that ends which is still needed of it.
    private(set) var bytes: Int

    private let stream: (first: Int64, last: Int64)

    /// - Parameters:
    ///   - survey: what was found.
    ///   - stream: the first and the last change in the change stream.
    init(_ survey: LogSurvey, _ stream: (first: Int64, last: Int64)) {
        self.stream = stream
        damages = survey.damages
        position = survey.end?.sequence ?? survey.bases.last?.image.sequence ?? 0
        beginsAnew = survey.end?.isDamaged ?? true
        bytes = survey.end?.bytes ?? 0
        let last = survey.segments.last?.file
        let atEnd = damages.filter { $0.file.kind == .segment && ($0.file == last || $0.upTo == .max) }
        if let first = atEnd.min(by: { $0.after < $1.after }), isInStream(behind: first.after) {
            // What the stream still has is taken from there again, from before the damage on.
            if first.file == last, let byte = first.byte { bytes = byte }
            position = min(position, first.after)
            damages = damages.map { atEnd.contains($0) ? $0.upTo(position) : $0 }
        } else if !isInStream(behind: position) {
            missTheStream(survey, isTold: atEnd.contains { $0.upTo == .max })
        }
        damages = damages.map { $0.upTo == .max ? $0.upTo(position) : $0 }
    }

    private func isInStream(behind sequence: Int64) -> Bool {
        sequence >= stream.last || stream.first <= sequence + 1
    }

    /// The stream has let go of changes that the log does not have.
    private mutating func missTheStream(_ survey: LogSurvey, isTold: Bool) {
        let file = survey.segments.last?.file ?? survey.bases.last.map { LogFileName(.base, $0.image.sequence) }
        if !isTold, let file {
            damages.append(
                LogInventory.Damage(
                    file: file, byte: bytes,
                    reason: survey.end?.torn?.reason ?? "it ends before the change stream begins",
                    after: position, since: survey.end?.time ?? 0, upTo: .max))
        }
        position = stream.first - 1
        beginsAnew = true
    }
}

extension LogInventory.Damage {
    /// The same damage, for which changes may be missing up to another one.
    func upTo(_ sequence: Int64) -> Self {
        Self(file: file, byte: byte, reason: reason, after: after, since: since, upTo: max(after, sequence))
    }

    /// The same damage, before which nothing was committed at this time or later.
    func since(_ time: Int64) -> Self {
        Self(file: file, byte: byte, reason: reason, after: after, since: time, upTo: upTo)
    }
}

extension LogInventory {
    /// Adds the files that were found and not known.
    mutating func adopt(_ survey: LogSurvey, _ vault: BackupVault) throws(TableError) {
        for base in survey.bases {
            let file = LogFileName(.base, base.image.sequence)
            if files[file] == nil { files[file] = File(bytes: base.sizeBytes, time: base.image.createdAt) }
        }
        for (index, segment) in survey.segments.enumerated() {
            let isLast = index == survey.segments.count - 1
            var file = files[segment.file] ?? File(bytes: nil, time: segment.time)
            if !isLast, file.bytes == nil { file.bytes = try vault.open(segment.path)?.size() }
            files[segment.file] = file
        }
    }
}

extension LogContents {
    /// What there is of a log that was looked at.
    init(
        _ life: String, _ table: String, _ vault: BackupVault, _ survey: LogSurvey, _ inventory: LogInventory,
        _ recovery: LogRecovery
    ) {
        let made = survey.bases.last?.image.createdAt ?? 0
        self.init(
            table: table, life: life, vault: vault, bases: survey.bases, segments: survey.segments,
            inventory: inventory, position: recovery.position, writtenBytes: recovery.bytes,
            completeAt: max(survey.end?.time ?? 0, made))
        learn(recovery.damages)
    }
}
