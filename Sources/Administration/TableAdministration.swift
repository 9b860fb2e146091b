import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import JSON
import Platform

/// What administrators do with tables as a whole, whatever is in them: backups, restores, checks. Blocks.
package struct TableAdministration: Sendable {
    /// Where the tables are.
    let tables: any TableMaintenance
    /// The profile whose table is meant where none is named; nil where there are no flags.
    let profile: Profile?

    /// Work on tables.
    package init(tables: any TableMaintenance, profile: Profile?) {
        self.tables = tables
        self.profile = profile
    }

    /// The table that is meant: the one that is named, else the flags' own, else the only one there is.
    func table(_ name: String?) throws -> String {
        if let name { return try Self.visible(name) }
        let all = try tables.listTables().filter { !InternalTables.contains($0) }
        let ofFlags = Profile.allCases.map(\.tableName).filter(all.contains)
        if let profile, all.contains(profile.tableName), ofFlags.count != 1 { return profile.tableName }
        if ofFlags.count == 1 { return ofFlags[0] }
        if all.count == 1 { return all[0] }
        throw Problem(
            .tableNotNamed,
            all.isEmpty ? "there is no table yet" : "name a table (--table): \(all.joined(separator: ", "))")
    }

    /// A name that may be asked for: what the program keeps for itself, such as the keys of callers, is in no backup,
    /// and no restore brings back what was revoked.
    private static func visible(_ name: String) throws -> String {
        guard !InternalTables.contains(name) else {
            throw Problem(.tableNotFound, "\(TableError.tableNotFound(name))")
        }
        return name
    }

    /// Makes a backup.
    func createBackup(of table: String, name: String, _ progress: WorkProgress) throws -> JSONValue {
        let backup = try stoppable(progress) {
            try tables.createBackup(of: table, name: name, watch: progress.watch)
        }
        return ListedBackup.available(backup).json
    }

    /// The backups, of one table if it is named.
    func backups(of table: String?) throws -> JSONValue {
        var filter = BackupFilter()
        filter.table = table
        let backups = try tables.listBackups(filter)
        return .array(backups.filter { !$0.isInternal }.map(\.json))
    }

    /// A backup.
    func backup(_ id: String) throws -> JSONValue {
        let backup = try tables.describeBackup(id)
        guard !backup.isInternal else { throw TableError.backup(.notFound(id)) }
        return backup.json
    }

    /// Deletes a backup.
    func deleteBackup(_ id: String) throws -> JSONValue {
        _ = try backup(id)
        return try tables.deleteBackup(id).json
    }

    /// Which tables can be restored to a time, those that are no more behind those that are there.
    func continuousBackups(of table: String?) throws -> JSONValue {
        let table = try table.map(Self.visible)
        let ended = try tables.endedContinuousBackups().filter { backups in
            table.map { $0 == backups.table } ?? !InternalTables.contains(backups.table)
        }
        let there = try tables.listTables().filter { !InternalTables.contains($0) }
        // A name that is neither has the engine say so.
        if let table, ended.isEmpty || there.contains(table) {
            return .array([try tables.continuousBackups(of: table).json(of: table)] + ended.map(\.json))
        }
        // In the list of all, one that fails hides no other.
        let states = (table == nil ? there : []).map { name -> JSONValue in
            do {
                return try tables.continuousBackups(of: name).json(of: name)
            } catch {
                return ["table": .string(name), "enabled": true, "reason": .string("\(error)")]
            }
        }
        return .array(states + ended.map(\.json))
    }

    /// Turns continuous backups of a table on or off. Off goes by the name, though there may be no such table any more:
    /// it forgets what is left.
    ///
    /// - Parameter days: how many days back the table can be restored; nil for off.
    func setContinuousBackups(of table: String, days: Int?) throws -> JSONValue {
        let backups =
            if let days {
                try tables.setContinuousBackups(of: table, enabled: true, recoveryPeriodDays: days)
            } else {
                try tables.setContinuousBackups(of: table, enabled: false)
            }
        return backups.json(of: table)
    }

    /// Makes a table of what was asked for.
    ///
    /// - Parameter admit: refuses a table, by its name, that must not be made for now.
    func restore(
        _ request: RestoreRequest, _ progress: WorkProgress, admit: (String) throws -> Void
    ) throws -> JSONValue {
        let table = try stoppable(progress) { try begin(request, progress, admit)() }
        return [
            "table": .string(table.schema.name), "items": .integer(table.content.items),
            "bytes": .integer(table.content.bytes),
        ]
    }

    /// Has the engine begin.
    ///
    /// - Returns: what waits for the end.
    private func begin(
        _ request: RestoreRequest, _ progress: WorkProgress, _ admit: (String) throws -> Void
    ) throws -> () throws -> TableDescription {
        func target(_ source: String) throws -> String {
            let target = try self.target(of: request, source)
            try admit(target)
            return target
        }
        let done = DispatchSemaphore(value: 0)
        let response = Locked<Result<TableDescription, TableError>?>(nil)
        let completion: @Sendable (Result<TableDescription, TableError>) -> Void = { result in
            response.withLock { $0 = result }
            done.signal()
        }
        switch request.source {
        case .backup(let id):
            let backup = try tables.describeBackup(id)
            if backup.isInternal { throw TableError.backup(.notFound(id)) }
            if case .damaged(let damage) = backup { throw Problem(.backupDamaged, damage.reason) }
            _ = try tables.restore(
                backup: id, to: try target(backup.description?.table.schema.name ?? ""),
                replacing: request.replaces, adjust: { $0 }, watch: progress.watch, completion: completion)
        case .file(let path):
            _ = try tables.restore(
                file: path,
                to: try target(Self.visible(try tables.describeBackup(file: path).table.schema.name)),
                replacing: request.replaces, adjust: { $0 }, watch: progress.watch, completion: completion)
        case .table(let name, let time):
            let source = try table(name)
            _ = try tables.restore(
                table: source, at: time.map { .time($0.millisecondsSinceEpoch, pass: request.pass) } ?? .latest,
                to: try target(source), replacing: request.replaces, adjust: { $0 },
                watch: progress.watch, completion: completion)
        }
        return {
            done.wait()
            guard let table = try response.withLock({ $0 })?.get() else { throw TableError.closed }
            return table
        }
    }

    /// The name of the table that is made.
    private func target(of request: RestoreRequest, _ source: String) throws -> String {
        let target = try Self.visible(request.target ?? source)
        if !request.replaces, try tables.listTables().contains(target) {
            throw Problem(
                .tableExists,
                "there is a table \(target): name another one with --to (\"target\"), or have it replaced with "
                    + "--replace (\"replace\": true), which keeps a backup of it")
        }
        return target
    }

    /// Encrypts anew what is stored.
    ///
    /// - Returns: how many items and changes cannot be read.
    func encryptAnew(_ progress: WorkProgress) throws -> Int {
        try stoppable(progress) { try tables.encryptAnew(watch: progress.watch) }
    }

    /// Does work that the tables give up when they are asked to.
    private func stoppable<Result>(_ progress: WorkProgress, _ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch TableError.closed {
            try progress.check()
            throw TableError.closed
        }
    }
}

extension WorkProgress {
    /// What the tables tell how far they are.
    package var watch: WorkWatch {
        WorkWatch(
            isCancelled: { [self] in stopReason != nil }, expect: { [self] in expect($0) },
            note: { [self] in note(done: $0) })
    }
}

extension ListedBackup {
    /// Whether it is of a table that the program keeps for itself.
    fileprivate var isInternal: Bool { description.map { InternalTables.contains($0.table.schema.name) } ?? false }
}
