import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// Answers an operation on backups; nil for any other.
    func respondOnBackups(
        to operation: DynamoOperation, _ request: RequestReader
    ) throws(ProtocolError) -> ProtocolResponse? {
        switch operation {
        case .createBackup: try createBackup(request)
        case .listBackups: try listBackups(request)
        case .describeBackup: try describeBackup(request)
        case .deleteBackup: try deleteBackup(request)
        case .restoreTableFromBackup: try restoreFromBackup(request)
        case .restoreTableToPointInTime: try restoreToPointInTime(request)
        case .describeContinuousBackups: try describeContinuousBackups(request)
        case .updateContinuousBackups: try updateContinuousBackups(request)
        default: nil
        }
    }

    private func createBackup(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let table = try backedUpTable(request.tableName)
        let backup = try convertingBackups { () throws(TableError) in
            try store.createBackup(of: table, name: request.text("BackupName") ?? "")
        }
        return ProtocolResponse { writer in
            writer.key("BackupDetails")
            writer.backupDetails(.available(backup), request.resources)
        }
    }

    private func listBackups(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        var filter = BackupFilter()
        if request.has("TableName") { filter.table = request.tableName }
        filter.from = try request.milliseconds("TimeRangeLowerBound")
        filter.to = try request.milliseconds("TimeRangeUpperBound")
        let type = request.text("BackupType") ?? "ALL"
        filter.kind = BackupDescription.Kind(rawValue: type)
        let start = request.text("ExclusiveStartBackupArn").map { request.resources.backupID(inARN: $0) }
        let all = try convertingBackups { () throws(TableError) in try store.listBackups(filter) }.filter { backup in
            type != "AWS_BACKUP" && !isInternal(backup) && start.map { $0.precedes(backup.id) } ?? true
        }
        let page = all.prefix(Int(request.number("Limit") ?? 100))
        return ProtocolResponse { writer in
            writer.key("BackupSummaries")
            writer.array(Array(page)) { $0.backupSummary($1, request.resources) }
            if page.count < all.count, let last = page.last {
                writer.key("LastEvaluatedBackupArn")
                writer.string(request.resources.backup(last))
            }
        }
    }

    private func describeBackup(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let backup = try backup(request)
        return ProtocolResponse { writer in
            writer.key("BackupDescription")
            writer.backupDescription(backup, request.resources)
        }
    }

    private func deleteBackup(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let id = try backup(request).id
        let backup = try convertingBackups { () throws(TableError) in try store.deleteBackup(id) }
        return ProtocolResponse { writer in
            writer.key("BackupDescription")
            writer.backupDescription(backup, request.resources, isDeleted: true)
        }
    }

    private func describeContinuousBackups(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let table = try backedUpTable(request.tableName)
        let backups = try convertingBackups { () throws(TableError) in try store.continuousBackups(of: table) }
        return ProtocolResponse { $0.continuousBackups(backups) }
    }

    private func updateContinuousBackups(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let table = try backedUpTable(request.tableName)
        let specification = request.structure("PointInTimeRecoverySpecification")
        let backups = try convertingBackups { () throws(TableError) in
            try store.setContinuousBackups(
                of: table, enabled: specification?.flag("PointInTimeRecoveryEnabled") ?? false,
                recoveryPeriodDays: specification?.number("RecoveryPeriodInDays").map { Int($0) }
                    ?? ContinuousBackups.recoveryPeriodDaysMax)
        }
        return ProtocolResponse { $0.continuousBackups(backups) }
    }

    /// The table of a name, in the words of the operations on backups.
    func backedUpTable(_ name: String) throws(ProtocolError) -> String {
        guard !InternalTables.contains(name), store.catalog.all[name] != nil else {
            throw ProtocolError(.tableNotFound, "Table not found: \(name)")
        }
        return name
    }

    /// The backup that a request names, damaged or not.
    func backup(_ request: RequestReader) throws(ProtocolError) -> ListedBackup {
        let arn = request.text("BackupArn") ?? ""
        let notFound = ProtocolError(.backupNotFound, "Backup not found: \(arn)")
        do throws(TableError) {
            let backup = try store.describeBackup(request.resources.backupID(inARN: arn))
            guard !isInternal(backup) else { throw TableError.backup(.notFound(arn)) }
            return backup
        } catch {
            if case .backup(.notFound) = error { throw notFound }
            throw ProtocolError(backups: error)
        }
    }

    private func isInternal(_ backup: ListedBackup) -> Bool {
        backup.description.map { InternalTables.contains($0.table.schema.name) } ?? false
    }

    /// Runs what throws the engine's errors, told in the words of the operations on backups.
    func convertingBackups<Result>(_ body: () throws(TableError) -> Result) throws(ProtocolError) -> Result {
        do throws(TableError) { return try body() } catch { throw ProtocolError(backups: error) }
    }
}

extension ProtocolError {
    /// What a failure of the engine is to the operations on backups, which have errors of their own.
    init(backups error: TableError) {
        switch error {
        case .tableNotFound(let table): self.init(.tableNotFound, "Table not found: \(table)")
        case .tableExists(let table): self.init(.tableAlreadyExists, "Table already exists: \(table)")
        case .backup(.notFound): self.init(.backupNotFound, error.description)
        case .backup(.damaged): self.init(.internalServerError, error.description)
        case .backup(.restoreInProgress(let table)):
            self.init(.tableInUse, "Table is being created: \(table)")
        case .backup(.pointInTimeUnavailable): self.init(.pointInTimeRecoveryUnavailable, error.description)
        case .backup(.invalidRestoreTime(let earliest, let latest)):
            self.init(
                .invalidRestoreTime,
                "RestoreDateTime must be between \(Double(earliest) / 1000) and \(Double(latest) / 1000)")
        case .backup(.lostRestoreTime), .backup(.ambiguousRestoreTime):
            self.init(.invalidRestoreTime, error.description)
        case .backup(.otherSetting): self.init(.validation, error.description)
        default: self.init(error)
        }
    }
}

extension RequestReader {
    /// A time: seconds since 1970 in a request, milliseconds here.
    ///
    /// - Throws: when it lies outside the years 0 to 9999, which no text could say.
    func milliseconds(_ name: StaticString) throws(ProtocolError) -> Int64? {
        guard let seconds = member(name)?.double else { return nil }
        let milliseconds = (seconds * 1000).rounded()
        guard (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds) else {
            throw .validation("\(name) must be a time of the years 0 to 9999, in seconds since 1970")
        }
        return Int64(milliseconds)
    }
}
