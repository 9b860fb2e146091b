import DynamoModel
import FlagCache
import FlagCore
import FlagStore
import Logging
import TableEngine

extension Logger {
    /// Tells of what the cache's feed found.
    func report(_ event: CacheEvent) {
        switch event {
        case .invalidItem(let partition, let sort, let issues):
            warning(
                "an item is no valid flag; its last valid form stays in force",
                metadata: [
                    "partition": "\(partition)", "sort": "\(sort)",
                    "issues": "\(issues.map { "\($0.pointer) \($0.message)" }.joined(separator: "; "))",
                ])
        case .killSwitch(let change): report(change)
        case .killSwitchesFound(let environment, let killSwitches):
            warning(
                killSwitches.isEmpty ? "no kill switch is on any more" : "kill switches are on",
                metadata: ["environment": "\(environment.rawValue)", "takenAway": "\(killSwitches.inWords)"])
        case .storeFailed(let failure):
            error("the store does not answer; what is known goes on being served", metadata: ["reason": "\(failure)"])
        case .storeRecovered:
            notice("the store answers again")
        case .tableGone(let name):
            error(
                "the table of the flags is gone; what is known goes on being served",
                metadata: ["table": "\(name)", "remedy": "flag-server restore BACKUP makes it again"])
        case .tableBack(let name):
            notice("the table of the flags is there again", metadata: ["table": "\(name)"])
        }
    }

    /// Tells of a kill switch that was set or has ended.
    private func report(_ change: KillSwitchChange) {
        var metadata: Logger.Metadata = [
            "environment": "\(change.environment.rawValue)", "by": "\(change.principal)",
            change.isOn ? "activatedBy" : "deactivatedBy": "\(change.actor ?? "unknown")",
            "reason": "\(change.reason ?? "not given")",
        ]
        if let flagKey = change.flagKey { metadata["flag"] = "\(flagKey)" }
        switch (change.flagKey, change.isOn) {
        case (nil, true): warning("the kill switch of all flags is on", metadata: metadata)
        case (nil, false): warning("the kill switch of all flags has ended", metadata: metadata)
        case (_, true): warning("the kill switch of a flag is on", metadata: metadata)
        case (_, false): warning("the kill switch of a flag has ended", metadata: metadata)
        }
    }

    /// Tells of logs of continuous backups that do not follow the writes, or do again.
    func report(backupTrouble: TableError?) {
        if let backupTrouble {
            error(
                "the log of continuous backups lags behind; restores reach back to what it has, and it is tried again",
                metadata: ["reason": "\(backupTrouble)"])
        } else {
            notice("the log of continuous backups has every write again")
        }
    }

    /// Tells of last backups that cannot be made, or are made after all.
    func report(lastBackupTrouble: TableError?) {
        if let lastBackupTrouble {
            error(
                "the backup of a table that was replaced or deleted cannot be made; its content is kept until it is",
                metadata: ["reason": "\(lastBackupTrouble)"])
        } else {
            notice("the backup of every table that was replaced or deleted is made")
        }
    }

    /// Tells of damage of the logs of continuous backups.
    func report(_ damage: LogDamage) {
        func time(_ milliseconds: Int64?) -> Logger.MetadataValue {
            "\(milliseconds.map { Timestamp(millisecondsSinceEpoch: $0).rfc3339 } ?? "none")"
        }
        error(
            "the continuous backups of a table are damaged; the file is kept aside, and the log goes on",
            metadata: [
                "table": "\(damage.table)", "file": "\(damage.file)",
                "byte": "\(damage.byte.map { "\($0)" } ?? "all")", "reason": "\(damage.reason)",
                "lostFrom": time(damage.lost?.lowerBound), "lostTo": time(damage.lost?.upperBound),
            ])
    }

    /// Tells of a restore that failed after it was answered that the table is being made.
    func report(_ failure: RestoreFailure) {
        error(
            "a restore failed: there is no such table",
            metadata: [
                "table": "\(failure.table)", "source": "\(failure.source)", "reason": "\(failure.error)",
            ])
    }

    /// Tells of a jump of the wall clock.
    func report(_ jump: ClockJump) {
        warning(
            "the wall clock has jumped; changes keep their order, and their times are what the clock showed",
            metadata: [
                "from": "\(Timestamp(millisecondsSinceEpoch: jump.from).rfc3339)",
                "to": "\(Timestamp(millisecondsSinceEpoch: jump.to).rfc3339)", "change": "\(jump.after)",
            ])
    }

    /// Tells of everything that the tables themselves notice and an operator should know, but of writes that fail.
    func follow(_ tables: SQLiteTableStore) {
        tables.subscribeToBackupTrouble { report(backupTrouble: $0) }
        tables.subscribeToLastBackupTrouble { report(lastBackupTrouble: $0) }
        tables.subscribeToLogDamage { report($0) }
        tables.subscribeToRestoreFailures { report($0) }
        tables.subscribeToClockJumps { report($0) }
    }

    /// Tells of writes that fail, or succeed again.
    func report(writeTrouble: TableError?) {
        if let writeTrouble {
            error(
                "the store takes no writes; reads and evaluations go on, and it is tried again every second",
                metadata: ["reason": "\(writeTrouble)"])
        } else {
            notice("the store takes writes again")
        }
    }

    /// Tells of what was done about the writes of others.
    func report(_ event: FollowerEvent) {
        switch event {
        case .corrected(let partition, let sort, let attributes):
            info(
                "corrected the derived attributes of an item",
                metadata: [
                    "partition": "\(partition)", "sort": "\(sort)",
                    "attributes": "\(attributes.joined(separator: ", "))",
                ])
        case .uncorrectable(let partition, let sort, let reason):
            warning(
                "the derived attributes of an item cannot be corrected: lists may lack it",
                metadata: ["partition": "\(partition)", "sort": "\(sort)", "reason": "\(reason)"])
        case .setAside(let partition, let sort, let reason):
            warning(
                "something that follows from a change cannot be done, and is set aside",
                metadata: ["partition": "\(partition)", "sort": "\(sort)", "reason": "\(reason)"])
        case .misplaced(let partition, let sort, let others):
            warning(
                "an item was put where nothing is looked for: no environment is called so, or SK is not what PK needs",
                metadata: ["partition": "\(partition)", "sort": "\(sort)", "others": "\(others)"])
        case .failed(let failure):
            error(
                "what others wrote cannot be completed now; it is tried again", metadata: ["reason": "\(failure)"])
        case .recovered:
            notice("what others wrote is being completed again")
        }
    }

    /// Tells of a flag whose evaluation failed.
    func report(_ failure: EvaluationFailures.Report) {
        warning(
            "evaluations of a flag fail; further failures are counted and told once a minute",
            metadata: [
                "flag": "\(failure.flagKey)", "environment": "\(failure.environment.rawValue)",
                "code": "\(failure.error.code.rawValue)", "reason": "\(failure.error.detailsWithoutContext)",
                "failures": .stringConvertible(failure.count),
            ])
    }
}
