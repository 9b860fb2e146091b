import SQLite

/// The continuous backups of tables that are no more.
extension ContinuousArchive {
    /// How many bytes of changes are taken out of the stream at a time.
    private static let bytesPerStep = 8 * 1024 * 1024

    /// The tables that are no more and whose log does not have every change of them yet.
    static func unfinished(_ parts: StoreParts) throws(TableError) -> [FormerTable] {
        try FormerTable.all(parts).filter { $0.life != nil && !$0.isLogComplete }
    }

    /// Takes the last changes of a table that is no more into its log. On the queue.
    func finish(_ former: FormerTable) throws(TableError) {
        guard let life = former.life else { return }
        do throws(TableError) {
            guard var log = try ContinuousLog(opening: life, of: former.name, parts.vault) else {
                // It was never begun.
                try former.update(parts) { noted, _ in noted.life = nil }
                return
            }
            try finish(&log, former)
        } catch {
            // A damaged log takes no more: what can be restored from it is told when somebody asks. Anything else is
            // tried again.
            guard case .backup(.damaged) = error else { throw error }
        }
        try former.update(parts) { noted, _ in noted.isLogComplete = true }
    }

    private func finish(_ log: inout ContinuousLog, _ former: FormerTable) throws(TableError) {
        while log.position < former.image.sequence {
            let after = log.position
            let step = try parts.readers.read { (connection) throws(TableError) in
                try connection.read(failing: TableError.init) { () throws(TableError) in
                    try ChangeJournal.records(
                        connection, after: after, upTo: former.image.sequence, of: former.image.definition,
                        bytes: Self.bytesPerStep)
                }
            }
            guard step.last > after else { break }
            try log.append(step.records, upTo: step.last, now: parts.clock())
        }
        try log.note(now: parts.clock())
    }

    /// What there is of the continuous backups of tables that are no more, the oldest first.
    func ended() throws(TableError) -> [EndedContinuousBackups] {
        try FormerTable.all(parts).filter { $0.life != nil }.map { former in
            do throws(TableError) {
                return EndedContinuousBackups(
                    table: former.name, endedAt: former.endedAt, restorable: try log(of: former)?.restorable,
                    trouble: nil)
            } catch {
                return EndedContinuousBackups(
                    table: former.name, endedAt: former.endedAt, restorable: nil, trouble: error)
            }
        }
    }

    /// What the last table of a name that is no more is restored from to be as it was at a time, with the table as it
    /// was and the time that is meant; nil when none can be restored to that time.
    ///
    /// - Throws: `backup(.damaged)` when one could have been.
    func endedSource(
        of table: String, at point: RestorePoint
    ) throws(TableError) -> (source: RestoreSource, schema: TableSchema, time: Int64)? {
        if try !Self.unfinished(parts).isEmpty { try flush() }
        for former in try FormerTable.all(parts).reversed() where former.name == table {
            let time: Int64
            switch point {
            case .latest: time = former.endedAt
            case .time(let given): time = given
            }
            guard time <= former.endedAt, let (log, restorable) = try log(of: former), restorable.contains(time) else {
                continue
            }
            return (try log.source(until: time), former.image.definition.schema, time)
        }
        return nil
    }

    /// The log of a table that is no more, and the times that the table can be restored to; nil when there is none.
    private func log(
        of former: FormerTable
    ) throws(TableError) -> (log: ContinuousLog, restorable: ClosedRange<Int64>)? {
        guard let life = former.life, var log = try ContinuousLog(opening: life, of: former.name, parts.vault) else {
            return nil
        }
        log.recoveryPeriodDays = former.recoveryPeriodDays
        let earliest = log.restorable(now: parts.clock()).lowerBound
        return earliest <= former.endedAt ? (log, earliest...former.endedAt) : nil
    }
}
