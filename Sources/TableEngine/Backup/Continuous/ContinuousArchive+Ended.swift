import DynamoModel
import SQLite

/// The continuous backups of tables that are no more.
extension ContinuousArchive {
    /// What there is of the continuous backups of tables that are no more, the oldest first.
    func ended() throws(TableError) -> [EndedContinuousBackups] {
        try FormerTable.all(parts).filter { $0.life != nil }.map { former in
            do throws(TableError) {
                let contents = try contents(of: former)
                let damage = contents?.damageReport.first { $0.lost != nil }
                return EndedContinuousBackups(
                    table: former.name, endedAt: former.endedAt,
                    restorable: contents.flatMap { restorable($0, former) },
                    trouble: damage.map { .damaged($0.file, $0.reason) })
            } catch {
                return EndedContinuousBackups(
                    table: former.name, endedAt: former.endedAt, restorable: nil, trouble: error)
            }
        }
    }

    /// What the last table of a name that is no more is restored from to be as it was at a time, with the table as it
    /// was and the time that is meant; nil when none can be restored to that time.
    ///
    /// - Throws: `backup(.lostRestoreTime)` when one could have been, `backup(.ambiguousRestoreTime)`.
    func endedSource(
        of table: String, at point: RestorePoint
    ) throws(TableError) -> (source: RestoreSource, schema: TableSchema, time: Int64)? {
        if try !FormerTable.unfinished(parts).isEmpty { try flush() }
        for former in try FormerTable.all(parts).reversed() where former.name == table {
            guard let contents = try contents(of: former), let range = restorable(contents, former) else { continue }
            let schema = former.image.definition.schema
            switch point {
            case .latest: return (try contents.source(.latest), schema, former.endedAt)
            case .time(let time, let pass):
                guard
                    range.contains(time) || contents.damageReport.contains(where: { $0.lost?.contains(time) ?? false })
                else { continue }
                return (try contents.source(try contents.moment(at: time, pass, parts.time.history)), schema, time)
            }
        }
        return nil
    }

    private func restorable(_ contents: LogContents, _ former: FormerTable) -> ClosedRange<Int64>? {
        let range = contents.restorable(now: parts.clock(), parts.time.history)
        return range.flatMap { $0.lowerBound <= former.endedAt ? $0.lowerBound...former.endedAt : nil }
    }

    /// What there is of the log of a table that is no more, looked at without writing anything; nil when it was never
    /// begun.
    private func contents(of former: FormerTable) throws(TableError) -> LogContents? {
        guard let life = former.life else { return nil }
        return try LogContents(
            ended: former, life, parts.vault, try parts.inventory(of: life), try parts.stream(), .ends)
    }
}

extension FormerTable {
    /// The tables that are no more and whose log does not have every change of them yet.
    static func unfinished(_ parts: OpenStore) throws(TableError) -> [FormerTable] {
        try all(parts).filter { $0.life != nil && !$0.isLogComplete }
    }

    /// The first change whose time the logs of tables that are no more keep; `Int64.max` when there are none.
    static func firstKept(_ parts: OpenStore) throws(TableError) -> Int64 {
        try all(parts).filter { $0.life != nil }.map(\.image.definition.startSequence).min() ?? .max
    }
}

extension LogContents {
    /// What there is of the log of a table that is no more; nil when it was never begun.
    ///
    /// - Parameters:
    ///   - former: the table.
    ///   - life: the life of the log.
    ///   - vault: where its files are.
    ///   - inventory: what files there should be.
    ///   - stream: the first and the last change in the change stream, for a log that is not complete yet.
    ///   - depth: how closely is looked.
    init?(
        ended former: FormerTable, _ life: String, _ vault: BackupVault, _ inventory: LogInventory?,
        _ stream: (first: Int64, last: Int64), _ depth: LogSurvey.Depth
    ) throws(TableError) {
        let survey = try LogSurvey(life, vault, inventory, depth)
        if inventory == nil, survey.bases.isEmpty, survey.end == nil { return nil }
        var known = inventory ?? LogInventory()
        try known.adopt(survey, vault)
        // Of what is complete, nothing is in the stream any more that could make up for what is not there.
        let end = former.image.sequence
        let recovery = LogRecovery(survey, former.isLogComplete ? (first: end + 1, last: end) : stream)
        self.init(life, former.name, vault, survey, known, recovery)
        recoveryPeriodDays = former.recoveryPeriodDays
        completeAt = former.endedAt
    }
}
