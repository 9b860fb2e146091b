import DynamoModel
import SQLite

/// Verification looks and never writes: neither at what is damaged nor at what a crash has left.
extension SQLiteTableStore {
    /// Checks everything that the store has: every page of the file; every item, every index entry against its item and
    /// every item against its entries; the change stream and the logs of continuous backups against the items; every
    /// backup. Blocks; O(all of it). Writing goes on meanwhile.
    package func verify() throws(TableError) -> VerificationReport {
        var report = VerificationReport()
        try LogVerification.verifyBackups(backups.store.vault, seal, &report)
        var logs: [String: StoreVerification.LoggedItems] = [:]
        for contents in try backups.archive.current() {
            var survey = try LogVerification.survey(contents)
            // What was removed meanwhile because it is too old is not missing.
            let now = try backups.archive.current().first { $0.life == contents.life }
            survey.removeAll { now?.inventory.files[$0.file]?.isDamaged ?? true }
            var found = contents
            found.learn(survey)
            logs[contents.table] = try LogVerification.verify(found, seal, &report)
        }
        // Those that are not complete yet are being written.
        for former in try FormerTable.all(backups.store) where former.isLogComplete {
            guard let life = former.life else { continue }
            try LogVerification.verify(
                former, life, backups.store.vault, try backups.store.inventory(of: life),
                try backups.store.stream(), seal, &report)
        }
        return try backups.store.readForLong { (connection) throws(TableError) in
            var verification = try StoreVerification(connection, seal, logs: logs, report: report)
            try verification.run()
            return verification.report
        }
    }

    /// Checks everything in a directory that nobody has open; see the other `verify`. No file of it is written, made,
    /// renamed or removed, whatever state it is in.
    ///
    /// - Parameter keys: the operator's keys.
    package static func verify(
        directory: String, keys: AtRestKeys = .none
    ) throws(TableError) -> VerificationReport {
        let vault = BackupVault(directory: directory, isReadOnly: true)
        var report = VerificationReport()
        let connection = try StoreFile.openForLooking("\(directory)/\(fileName)")
        defer { connection.close() }
        let seal = try StoreFile.seal(connection, by: keys)
        try LogVerification.verifyBackups(vault, seal, &report)
        return try connection.read(failing: TableError.init) { () throws(TableError) in
            let logs = try LogVerification.verifyLogs(connection, vault, seal, &report)
            var verification = try StoreVerification(connection, seal, logs: logs, report: report)
            try verification.run()
            return verification.report
        }
    }
}

/// Checks backups and logs.
enum LogVerification {
    /// Checks every backup.
    static func verifyBackups(
        _ vault: BackupVault, _ seal: ItemSeal, _ report: inout VerificationReport
    ) throws(TableError) {
        for id in try BackupService.ids(vault) {
            do throws(TableError) {
                // One may be deleted meanwhile.
                guard let file = try vault.open(BackupService.file(id)) else { continue }
                report.backups += 1
                var reader = try ImageReader(file, seal)
                try reader.verify()
            } catch {
                // Damaged or not to be read: it keeps nothing else from being checked.
                report.note(error.description)
            }
        }
    }

    /// Checks the bases and logs of a table that is no more.
    static func verify(
        _ former: FormerTable, _ life: String, _ vault: BackupVault, _ inventory: LogInventory?,
        _ stream: (first: Int64, last: Int64), _ seal: ItemSeal, _ report: inout VerificationReport
    ) throws(TableError) {
        guard let contents = try LogContents(ended: former, life, vault, inventory, stream, .everything) else {
            report.note("\(vault.path(ContinuousLog.folder(life))): the continuous backups in it are gone")
            return
        }
        _ = try verify(contents, seal, &report)
    }

    /// Checks the logs of a store that nobody has open.
    ///
    /// - Parameters:
    ///   - connection: one inside a read transaction.
    ///   - vault: where the logs are.
    ///   - seal: by which encrypted items are read.
    ///   - report: receives what is wrong.
    /// - Returns: what they say that the tables hold.
    static func verifyLogs(
        _ connection: DatabaseConnection, _ vault: BackupVault, _ seal: ItemSeal, _ report: inout VerificationReport
    ) throws(TableError) -> [String: StoreVerification.LoggedItems] {
        let (lives, stream) = try convertingErrors { () throws(SQLiteError) in
            (
                try ContinuousArchive.lives(connection),
                (first: try ChangeJournal.start(connection), last: try ChangeJournal.end(connection).sequence)
            )
        }
        var logs: [String: StoreVerification.LoggedItems] = [:]
        for (table, life) in lives.sorted(by: { $0.key.precedes($1.key) }) {
            let inventory = try convertingErrors { () throws(SQLiteError) in try LogInventory.read(life, connection) }
            let survey = try LogSurvey(life, vault, inventory, .everything)
            // Never begun: a crash has come between.
            if inventory == nil, survey.bases.isEmpty, survey.end == nil { continue }
            if survey.end.map({ $0.sequence > stream.last }) ?? false {
                report.note(
                    "the log of the continuous backups of \(table) in \(vault.path(ContinuousLog.folder(life))) has "
                        + "changes that the store does not have")
                continue
            }
            var known = inventory ?? LogInventory()
            try known.adopt(survey, vault)
            let contents = LogContents(life, table, vault, survey, known, LogRecovery(survey, stream))
            logs[table] = try verify(contents, seal, &report)
        }
        let formers = try convertingErrors { () throws(SQLiteError) in try FormerTable.all(connection) }
        for former in formers {
            guard let life = former.life else { continue }
            let inventory = try convertingErrors { () throws(SQLiteError) in try LogInventory.read(life, connection) }
            try verify(former, life, vault, inventory, stream, seal, &report)
        }
        return logs
    }

    /// Reads every byte of a log that somebody writes.
    ///
    /// - Returns: what is damaged of it and not known to be.
    static func survey(_ contents: LogContents) throws(TableError) -> [LogInventory.Damage] {
        try LogSurvey(
            contents.life, contents.vault, contents.inventory, .everything, written: contents.writtenBytes
        ).damages.map { $0.upTo == .max ? $0.upTo(contents.position) : $0 }
    }

    /// Tells of all damage of a log, and reads it from the first base on behind which nothing is missing.
    ///
    /// - Returns: what it says that the table holds; nil when it does not say.
    static func verify(
        _ contents: LogContents, _ seal: ItemSeal, _ report: inout VerificationReport
    ) throws(TableError) -> StoreVerification.LoggedItems? {
        for damage in contents.damageReport { report.note(damage.description) }
        let missing = contents.inventory.gaps.map(\.upTo).max() ?? 0
        guard let base = contents.bases.first(where: { $0.image.sequence >= missing }) else { return nil }
        var items: StoreVerification.LoggedItems?
        try report.notingDamage { (report) throws(TableError) in items = try read(contents, from: base, seal, &report) }
        return items
    }

    private static func read(
        _ contents: LogContents, from base: LogContents.FullImage, _ seal: ItemSeal,
        _ report: inout VerificationReport
    ) throws(TableError) -> StoreVerification.LoggedItems {
        var items = ExpectedItems(source: "the log of its continuous backups", isComplete: true)
        let source = try contents.source(.latest, from: base)
        var reader = try ImageReader(source.image, seal)
        try reader.verify({}) { item in
            item.key.withUnsafeBytes { key in item.content.withUnsafeBytes { items.set(key, $0) } }
        }
        var count = 0
        let prefix = reader.image.definition.prefix
        try source.forEachBlock(after: reader.image.sequence) { (records) throws(TableError) in
            count += records.count
            for record in records {
                let item: [UInt8]?
                do throws(ItemCodecError) { item = try record.item(at: prefix, seal) } catch {
                    throw .damaged(
                        contents.vault.path(ContinuousLog.folder(contents.life)),
                        "the encrypted item of the change \(record.sequence) in the log is not what was written")
                }
                record.key.withUnsafeBytes { key in
                    if let item { item.withUnsafeBytes { items.set(key, $0) } } else { items.set(key, nil) }
                }
            }
        }
        report.loggedChanges += count
        return StoreVerification.LoggedItems(
            life: contents.life, position: max(contents.position, reader.image.sequence), items: items)
    }
}
