extension SQLiteTableStore {
    /// Checks everything that the store has: every page of the file; every item, every index entry against its item and
    /// every item against its entries; the change stream and the logs of continuous backups against the items; every
    /// backup. Blocks; O(all of it). Writing goes on meanwhile.
    package func verify() throws(TableError) -> VerificationReport {
        var report = VerificationReport()
        try backups.verifyBackups(&report)
        let logs = try backups.archive.verifyLogs(&report)
        try backups.archive.verifyEnded(&report)
        return try backups.parts.readForLong { (connection) throws(TableError) in
            var verification = try StoreVerification(connection, logs: logs, report: report)
            try verification.run()
            return verification.report
        }
    }
}

extension BackupService {
    /// Checks every backup.
    func verifyBackups(_ report: inout VerificationReport) throws(TableError) {
        for id in try ids() {
            do throws(TableError) {
                // One may be deleted meanwhile.
                guard let file = try parts.vault.open(Self.file(id)) else { continue }
                report.backups += 1
                var reader = try ImageReader(file)
                try reader.verify()
            } catch {
                // Damaged or not to be read: it keeps nothing else from being checked.
                report.note(error.description)
            }
        }
    }
}

extension ContinuousArchive {
    /// Checks the bases and logs of all continuous backups.
    ///
    /// - Returns: what they say that the tables hold.
    func verifyLogs(
        _ report: inout VerificationReport
    ) throws(TableError) -> [String: StoreVerification.LoggedItems] {
        var logs: [String: StoreVerification.LoggedItems] = [:]
        for (table, log) in try current() {
            try report.notingDamage { (report) throws(TableError) in
                for base in log.bases.dropFirst() {
                    guard let file = try parts.vault.open(base.name) else { continue }
                    var reader = try ImageReader(file)
                    try reader.verify()
                }
                logs[table] = try Self.read(log, &report)
            }
        }
        return logs
    }

    /// Checks the bases and logs of tables that are no more.
    func verifyEnded(_ report: inout VerificationReport) throws(TableError) {
        for former in try FormerTable.all(parts) {
            guard let life = former.life else { continue }
            try report.notingDamage { (report) throws(TableError) in
                guard let log = try ContinuousLog(opening: life, of: former.name, parts.vault) else {
                    throw .damaged(
                        parts.vault.path(ContinuousLog.folder(life)), "the continuous backups in it are gone")
                }
                for base in log.bases.dropFirst() {
                    guard let file = try parts.vault.open(base.name) else { continue }
                    var reader = try ImageReader(file)
                    try reader.verify()
                }
                _ = try Self.read(log, &report)
            }
        }
    }

    /// Reads a whole log, from its first base on.
    private static func read(
        _ log: ContinuousLog, _ report: inout VerificationReport
    ) throws(TableError) -> StoreVerification.LoggedItems {
        var items = ExpectedItems(source: "the log of its continuous backups", isComplete: true)
        let source = try log.source(until: .max, from: log.bases[0])
        var reader = try ImageReader(source.image)
        try reader.verify { item in
            item.key.withUnsafeBytes { key in item.content.withUnsafeBytes { items.set(key, $0) } }
        }
        var count = 0
        try source.forEachBlock(after: reader.image.sequence) { (records) throws(TableError) in
            count += records.count
            for record in records {
                record.key.withUnsafeBytes { key in
                    if let content = record.content {
                        content.withUnsafeBytes { items.set(key, $0) }
                    } else {
                        items.set(key, nil)
                    }
                }
            }
        }
        report.loggedChanges += count
        return StoreVerification.LoggedItems(life: log.life, position: log.position, items: items)
    }
}
