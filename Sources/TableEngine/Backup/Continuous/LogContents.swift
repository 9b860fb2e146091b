import Bytes
import DynamoModel

/// What there is of the continuous backups of a table, and what can be restored from it.
struct LogContents: Sendable {
    /// The table.
    let table: String
    /// Which of the table's lives it is.
    let life: String
    let vault: BackupVault
    /// The bases that can be read, the oldest first; none only until one is made.
    var bases: [FullImage]
    /// The segments that there are, the oldest first.
    var segments: [Segment]
    /// What files there should be, and what is damaged.
    var inventory: LogInventory
    /// The last change of the store that is in the log, or is missing from it for good.
    var position: Int64
    /// How far the last segment is written.
    var writtenBytes: Int
    /// Until when, by the wall clock, every change is in the log, in milliseconds since 1970.
    var completeAt: Int64
    /// How many days a point in time stays restorable.
    var recoveryPeriodDays = ContinuousBackups.recoveryPeriodDaysMax

    /// An image.
    struct FullImage: Sendable {
        let path: String
        let image: TableImage
        let sizeBytes: Int
    }

    /// A segment: its name, where it is, and when the last change before it was committed.
    struct Segment: Sendable {
        let file: LogFileName
        var path: String
        let time: Int64
    }

    /// Takes over what was found out of damage: damaged bases are none any more.
    mutating func learn(_ damages: [LogInventory.Damage]) {
        for damage in damages {
            inventory.files[damage.file, default: LogInventory.File(bytes: nil, time: damage.since)].isDamaged = true
            if damage.file.kind == .base { bases.removeAll { $0.image.sequence == damage.file.sequence } }
        }
        inventory.damages += damages.map { damage in
            // What is missing right behind a base was written after the base was.
            guard damage.isGap, let base = bases.last(where: { $0.image.sequence == damage.after })?.image else {
                return damage
            }
            return damage.since(max(damage.since, base.createdAt + 1))
        }
    }
}

extension LogContents {
    /// The earliest and the latest time that the table can be restored to, in milliseconds since 1970; nil while there
    /// is no base. Times between that are lost are told by `damageReport`.
    ///
    /// - Parameters:
    ///   - now: the time up to which every change is in the log.
    ///   - history: the jumps of the clock.
    func restorable(now: Int64, _ history: ClockHistory) -> ClosedRange<Int64>? {
        guard let first = bases.first?.image else { return nil }
        // A time still to come is no time that the clock has shown when the base was made.
        var earliest = first.createdAt <= now ? first.createdAt : min(first.committedAt, now)
        for span in history.spans(behind: first.sequence).dropFirst() { earliest = min(earliest, span.from) }
        earliest = max(earliest, now - ContinuousLog.retention(days: recoveryPeriodDays))
        // Changes that are missing behind the last base: until there is another, nothing later can be restored.
        let latest =
            inventory.gaps.filter { $0.upTo > bases[bases.count - 1].image.sequence }.map { $0.since - 1 }
            .min() ?? now
        return earliest...max(earliest, min(now, latest))
    }

    /// Which changes are meant by a time.
    ///
    /// - Parameters:
    ///   - time: the time, in milliseconds since 1970.
    ///   - pass: where the clock has shown it several times, at which of them, from 1; nil when none was said.
    ///   - history: the jumps of the clock.
    /// - Throws: `backup(.invalidRestoreTime)`, `backup(.ambiguousRestoreTime)`.
    func moment(at time: Int64, _ pass: Int?, _ history: ClockHistory) throws(TableError) -> Moment {
        guard let first = bases.first?.image, let range = restorable(now: completeAt, history) else {
            throw .backup(.pointInTimeUnavailable(table: table))
        }
        // Before the first base nothing can be restored, whatever the clock showed.
        let moments = history.moments(at: time).filter { moment in
            moment.wholeUpTo >= first.sequence
                || (moment.takes(first.sequence, at: first.committedAt)
                    && (time >= first.createdAt || (moment.last == .max && first.createdAt > completeAt)))
        }
        guard time >= range.lowerBound, time <= completeAt, !moments.isEmpty, (pass ?? 1) >= 1,
            (pass ?? 1) <= moments.count
        else { throw .backup(.invalidRestoreTime(earliest: range.lowerBound, latest: range.upperBound)) }
        guard moments.count == 1 || pass != nil else {
            let passes = moments.map { moment in
                history.jump(behind: moment).map {
                    "before it was set from \(RFC3339.utc($0.from)) to \(RFC3339.utc($0.to)), "
                        + "behind the change \($0.after)"
                } ?? "since then"
            }
            throw .backup(.ambiguousRestoreTime(time: time, passes: passes))
        }
        return moments[(pass ?? 1) - 1]
    }

    /// What the table is restored from to be as it was at a moment.
    ///
    /// - Throws: `backup(.lostRestoreTime)` when a part of the log is damaged that is needed for that.
    func source(_ moment: Moment) throws(TableError) -> RestoreSource {
        guard let base = base(for: moment) else {
            throw .backup(.lostRestoreTime(time: moment.time, damages: damageReport.filter { $0.lost != nil }))
        }
        return try source(moment, from: base)
    }

    /// The last base before a moment behind which nothing is missing up to there.
    private func base(for moment: Moment) -> FullImage? {
        bases.last { base in
            moment.takes(base.image.sequence, at: base.image.committedAt)
                && !inventory.gaps.contains {
                    $0.upTo > base.image.sequence && moment.takes($0.after, at: $0.since)
                }
        }
    }

    /// What the table is restored from, beginning with one of the bases.
    func source(_ moment: Moment, from base: FullImage) throws(TableError) -> RestoreSource {
        guard let image = try vault.open(base.path) else { throw .damaged(vault.path(base.path), "the file is gone") }
        var source = RestoreSource(image: image, moment: moment)
        source.end = inventory.gaps.filter { $0.upTo > base.image.sequence }.map(\.after).min() ?? .max
        let first = segments.lastIndex { $0.file.sequence <= base.image.sequence } ?? 0
        let names = inventory.segments
        for segment in segments[first...] {
            let next = names.first { $0 > segment.file }?.sequence
            guard let file = try vault.open(segment.path) else {
                // Whether anything of it is needed is seen from the next one.
                if next != nil { continue }
                throw .damaged(vault.path(segment.path), "the file is gone")
            }
            source.segments.append(
                RestoreSource.Segment(
                    file: file, after: segment.file.sequence, upTo: next, end: next == nil ? writtenBytes : nil))
        }
        return source
    }

    /// What is damaged, and which times are lost for it.
    var damageReport: [LogDamage] {
        if inventory.damages.isEmpty { return [] }
        let names = Set((try? vault.files(in: ContinuousLog.folder(life))) ?? [])
        return inventory.damages.map { damage in
            let isAside =
                names.contains(damage.file.aside) && !names.contains(damage.file.text)
                || inventory.files[damage.file].map { !$0.isDamaged } ?? false
            return LogDamage(
                table: table,
                file: vault.path("\(ContinuousLog.folder(life))/\(isAside ? damage.file.aside : damage.file.text)"),
                byte: damage.byte, reason: damage.reason, lost: lost(damage))
        }
    }

    /// The times that cannot be restored for damage: from the last change before it to the last
    /// one that is in the next base.
    private func lost(_ damage: LogInventory.Damage) -> ClosedRange<Int64>? {
        if damage.file.kind == .base {
            // The log reaches from an earlier base over this one, unless there is none or changes are missing.
            let reaches = bases.contains { base in
                base.image.sequence <= damage.after
                    && !inventory.gaps.contains { $0.upTo > base.image.sequence && $0.after < damage.after }
            }
            if reaches { return nil }
        } else if !damage.isGap {
            return nil
        }
        let next = bases.first { $0.image.sequence >= damage.upTo }?.image.committedAt ?? completeAt + 1
        return damage.since...max(damage.since, next - 1)
    }
}
