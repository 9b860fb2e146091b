import Administration
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import JSON
import Platform
import TableEngine

/// Does the work of commands on backups: the same code whether a server does it or the command itself.
struct BackupCommands: Sendable {
    /// Where the tables are.
    let tables: SQLiteTableStore
    /// The profile whose table is meant where none is named; nil where there are no flags.
    let profile: Profile?
    /// Where work is listed that may take long.
    var work = WorkList()

    /// Does what a request asks; blocks until it is done. Nil when the request is about something else.
    func answer(_ request: ControlRequest, for client: WorkClient = .thisProcess) -> ControlReply? {
        do {
            guard let request = try BackupRequest(request) else { return nil }
            return .done(try run(request, for: client))
        } catch TableError.backup(.pointInTimeUnavailable(let table)) {
            return .failed(
                "continuous backups of \(table) are off: `flag-server backup continuous on` turns them on, and from "
                    + "then on it can be restored to a time")
        } catch {
            return .failed("\(error)")
        }
    }

    private func run(_ request: BackupRequest, for client: WorkClient) throws -> JSONValue {
        switch request {
        case .create(let table, let name):
            let table = try self.table(table)
            let backup = try stoppable("backup of \(table)", for: client) { isCancelled in
                try tables.createBackup(of: table, name: name, isCancelled: isCancelled)
            }
            return Self.json(.available(backup))
        case .list(let table):
            var filter = BackupFilter()
            filter.table = table
            return .array(try tables.listBackups(filter).map(Self.json))
        case .delete(let id): return Self.json(try tables.deleteBackup(id))
        case .beginContinuous(let table, let days):
            let table = try self.table(table)
            return Self.json(
                try tables.setContinuousBackups(of: table, enabled: true, recoveryPeriodDays: days), of: table)
        case .endContinuous(let table):
            // By its name, though it may be no more: off forgets what is left of it.
            let table = try self.table(table)
            return Self.json(try tables.setContinuousBackups(of: table, enabled: false), of: table)
        case .listContinuous(let table):
            return .array(try continuousBackups(of: table))
        case .restore(let restore):
            return try stoppable("restore\(restore.target.map { " of \($0)" } ?? "")", for: client) { isCancelled in
                try run(restore, isCancelled)
            }
        case .verify: return Self.json(try tables.verify())
        }
    }

    /// The table that is meant: the one that is named, else the flags' own, else the only one there is.
    private func table(_ name: String?) throws -> String {
        if let name { return name }
        let all = try tables.listTables().filter { !InternalTables.contains($0) }
        let ofFlags = Profile.allCases.map(\.tableName).filter(all.contains)
        if let profile, all.contains(profile.tableName), ofFlags.count != 1 { return profile.tableName }
        if ofFlags.count == 1 { return ofFlags[0] }
        if all.count == 1 { return all[0] }
        throw CommandFailure(
            all.isEmpty ? "there is no table yet" : "name a table with --table: \(all.joined(separator: ", "))")
    }

    /// Which tables can be restored to a time, those that are no more behind those that are there.
    private func continuousBackups(of table: String?) throws -> [JSONValue] {
        let ended = try tables.endedContinuousBackups().filter { backups in
            table.map { $0 == backups.table } ?? !InternalTables.contains(backups.table)
        }
        let there = try tables.listTables().filter { !InternalTables.contains($0) }
        // A name that is neither has the engine say so.
        if let table, ended.isEmpty || there.contains(table) {
            return [Self.json(try tables.continuousBackups(of: table), of: table)] + ended.map(Self.json)
        }
        // In the list of all, one that fails hides no other.
        let states = (table == nil ? there : []).map { name -> JSONValue in
            do {
                return Self.json(try tables.continuousBackups(of: name), of: name)
            } catch {
                return ["table": .string(name), "enabled": true, "reason": .string("\(error)")]
            }
        }
        return states + ended.map(Self.json)
    }

    /// Does work that the tables give up when they are asked to.
    private func stoppable<Result>(
        _ what: String, for client: WorkClient, _ work: (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Result
    ) throws -> Result {
        try self.work.run(what, for: client) { progress in
            do {
                return try work { progress.stopReason != nil }
            } catch TableError.closed {
                try progress.check()
                throw TableError.closed
            }
        }
    }

    private func run(
        _ restore: BackupRequest.Restore, _ isCancelled: @escaping @Sendable () -> Bool
    ) throws -> JSONValue {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<TableDescription, TableError>?>(nil)
        let completion: @Sendable (Result<TableDescription, TableError>) -> Void = { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        func name(_ source: String) throws -> String {
            let target = restore.target ?? source
            if !restore.replaces, try tables.listTables().contains(target) {
                throw CommandFailure(
                    "there is a table \(target): name another one with --to, or have it replaced with --replace, "
                        + "which keeps a backup of it")
            }
            return target
        }
        switch restore.source {
        case .backup(let id):
            let backup = try tables.describeBackup(id)
            if case .damaged(let damage) = backup { throw CommandFailure(damage.reason) }
            _ = try tables.restore(
                backup: id, to: try name(backup.description?.table.schema.name ?? ""), replacing: restore.replaces,
                adjust: { $0 }, isCancelled: isCancelled, completion: completion)
        case .file(let path):
            _ = try tables.restore(
                file: path, to: try name(try SQLiteTableStore.describeBackup(file: path).table.schema.name),
                replacing: restore.replaces, adjust: { $0 }, isCancelled: isCancelled, completion: completion)
        case .table(let table, let time):
            let source = try self.table(table)
            _ = try tables.restore(
                table: source, at: time.map { .time($0.millisecondsSinceEpoch, pass: restore.pass) } ?? .latest,
                to: try name(source),
                replacing: restore.replaces, adjust: { $0 }, isCancelled: isCancelled, completion: completion)
        }
        done.wait()
        guard let table = try answer.withLock({ $0 })?.get() else { throw TableError.closed }
        return [
            "table": .string(table.schema.name), "items": .integer(table.content.items),
            "bytes": .integer(table.content.bytes),
        ]
    }

    private static func json(_ backup: ListedBackup) -> JSONValue {
        switch backup {
        case .available(let description), .creating(let description):
            let isCreating = if case .creating = backup { true } else { false }
            return [
                "id": .string(description.id), "name": .string(description.name),
                "kind": .string(description.kind.rawValue.lowercased()),
                "status": isCreating ? "creating" : "available", "table": .string(description.table.schema.name),
                "createdAt": time(description.createdAt), "items": .integer(description.table.content.items),
                "sizeBytes": .integer(description.sizeBytes),
            ]
        case .damaged(let damage):
            return [
                "id": .string(damage.id), "status": "damaged", "reason": .string(damage.reason),
                "createdAt": time(damage.createdAt), "sizeBytes": .integer(damage.sizeBytes),
            ]
        }
    }

    private static func time(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string(Timestamp(millisecondsSinceEpoch: $0).rfc3339) } ?? .null
    }

    private static func json(_ backups: ContinuousBackups, of table: String) -> JSONValue {
        [
            "table": .string(table), "enabled": .bool(backups.isEnabled),
            "days": backups.isEnabled ? .integer(Int64(backups.recoveryPeriodDays)) : .null,
            "earliest": time(backups.restorable?.lowerBound), "latest": time(backups.restorable?.upperBound),
            "damages": .array(
                backups.damages.map { damage in
                    [
                        "file": .string(damage.file), "byte": damage.byte.map { .integer(Int64($0)) } ?? .null,
                        "reason": .string(damage.reason), "lostFrom": time(damage.lost?.lowerBound),
                        "lostTo": time(damage.lost?.upperBound),
                    ]
                }),
        ]
    }

    private static func json(_ ended: EndedContinuousBackups) -> JSONValue {
        [
            "table": .string(ended.table), "enabled": false, "ended": time(ended.endedAt),
            "earliest": time(ended.restorable?.lowerBound), "latest": time(ended.restorable?.upperBound),
            "reason": ended.trouble.map { .string($0.description) } ?? .null,
        ]
    }

    static func json(_ report: VerificationReport) -> JSONValue {
        [
            "items": .integer(Int64(report.items)), "entries": .integer(Int64(report.entries)),
            "changes": .integer(Int64(report.changes)), "backups": .integer(Int64(report.backups)),
            "loggedChanges": .integer(Int64(report.loggedChanges)),
            "problems": .array(report.problems.map { .string($0) }),
        ]
    }
}
