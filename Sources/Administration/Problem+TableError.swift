import DynamoModel
import HTTPRouting

extension Problem {
    /// What the tables say, for whoever asked.
    init(_ error: TableError) {
        switch error {
        case .backup(let error): self.init(error)
        case .tableNotFound: self.init(.tableNotFound, "\(error)")
        case .tableExists: self.init(.tableExists, "\(error)")
        case .validation: self.init(.invalidBody, "\(error)")
        case .storage, .closed, .tooManyWaiting: self.init(.storeUnavailable, "\(error)")
        case .indexNotFound, .conditionFailed, .transactionCanceled: self.init(.internalError, "\(error)")
        }
    }

    private init(_ error: BackupError) {
        switch error {
        case .notFound: self.init(.backupNotFound, "\(error)")
        case .damaged: self.init(.backupDamaged, "\(error)")
        case .restoreInProgress: self.init(.restoreInProgress, "\(error)")
        case .pointInTimeUnavailable(let table):
            self.init(
                .continuousBackupsOff,
                "continuous backups of \(table) are off: `flag-server backup continuous on` turns them on, and from "
                    + "then on it can be restored to a time")
        case .invalidRestoreTime, .lostRestoreTime, .ambiguousRestoreTime: self.init(.invalidRestoreTime, "\(error)")
        case .otherSetting: self.init(.otherStore, "\(error)")
        }
    }

    /// A file of the server's machine, named by somebody who may be elsewhere.
    static let fileFromElsewhere = Problem(
        .forbidden,
        "a file of this machine can be restored by a command on it alone (flag-server restore FILE), as root or the "
            + "server's user")
}
