import Access
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// Backups of tables, tables from backups, and the check of everything: what concerns all environments at once.
enum BackupRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/backups", "listBackups", looking, list),
        AdministrationRoute(.post, "/api/backups", "createBackup", changing.inLongWork, create),
        AdministrationRoute(.get, "/api/backups/{backupId}", "getBackup", looking, get),
        AdministrationRoute(.delete, "/api/backups/{backupId}", "deleteBackup", changing, delete),
        AdministrationRoute(.post, "/api/restore", "restoreTable", changing.inLongWork, restore),
        AdministrationRoute(.get, "/api/continuous-backups", "listContinuousBackups", looking, listContinuous),
        AdministrationRoute(.put, "/api/continuous-backups", "beginContinuousBackups", changing.inLongWork, begin),
        AdministrationRoute(.delete, "/api/continuous-backups", "endContinuousBackups", changing, end),
        AdministrationRoute(.post, "/api/verify", "verifyStore", checking.inLongWork, verify),
    ]

    private static let looking = RoutePolicy("backups", .needsEverywhere(.administer))
    private static let changing = looking.with {
        $0.audit = .work
        $0.wantsReason = true
    }
    private static let checking = looking.with { $0.audit = .work }

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let backups = try administration.onTables { try $0.backups(of: request.query["table"]) }
        return .respond(.json(["backups": backups]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let (table, name) = try request.draft { json throws(DefinitionIssues) in try newBackup(json) }
        let backup = try administration.onTables { tables in
            let table = try tables.table(table)
            return try administration.work.run("backup of \(table)", for: request.workClient) { progress in
                try tables.createBackup(of: table, name: name, progress)
            }
        }
        let location = ("Location", "/api/backups/\(backup["id"]?.stringValue ?? "")")
        return .respond(.json(backup, status: .created, fields: [location]))
    }

    /// Reads `{"table"?, "name"?}`.
    private static func newBackup(_ json: JSONValue) throws(DefinitionIssues) -> (table: String?, name: String) {
        var reader = FieldReader(body: json, "such as {\"name\": \"before-the-move\"}")
        let table = reader.name("table")
        let name = reader.name("name") ?? "backup"
        if !BackupName.isValid(name) { reader.report("name", BackupName.expectation) }
        try reader.finish()
        return (table, name)
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let id = request.path["backupId"] ?? ""
        return .respond(.json(try administration.onTables { try $0.backup(id) }))
    }

    private static func delete(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let id = request.path["backupId"] ?? ""
        return .respond(.json(try administration.onTables { try $0.deleteBackup(id) }))
    }

    private static func restore(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let restore = try request.draft { json throws(DefinitionIssues) in try RestoreRequest(json: json) }
        // What lies where on this machine is the business of its users alone.
        if case .file = restore.source, !request.isOfThisMachine { throw .fileFromElsewhere }
        let what = "restore\(restore.target.map { " of \($0)" } ?? "")"
        let table = try administration.onTables { tables in
            try administration.work.run(what, for: request.workClient) { progress in
                try tables.restore(restore, progress) { table throws(Problem) in
                    try administration.admitRestore(of: table, asked: request)
                }
            }
        }
        return .respond(.json(table))
    }

    private static func listContinuous(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let backups = try administration.onTables { try $0.continuousBackups(of: request.query["table"]) }
        return .respond(.json(["continuousBackups": backups]))
    }

    private static func begin(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let (table, days) = try request.draft { json throws(DefinitionIssues) in
            var reader = FieldReader(body: json, "such as {\"days\": 35}")
            let table = reader.name("table")
            let days = reader.integer("days", in: 1...ContinuousBackups.recoveryPeriodDaysMax)
            try reader.finish()
            return (table, days ?? ContinuousBackups.recoveryPeriodDaysMax)
        }
        return .respond(
            .json(
                try administration.onTables { tables in
                    try tables.setContinuousBackups(of: try tables.table(table), days: days)
                }))
    }

    private static func end(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let table = request.query["table"]
        return .respond(
            .json(
                try administration.onTables { tables in
                    try tables.setContinuousBackups(of: try tables.table(table), days: nil)
                }))
    }

    private static func verify(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let report = try administration.onTables { tables in
            try administration.work.run("verification", for: request.workClient) { _ in try tables.tables.verify() }
        }
        return .respond(.json(report.json))
    }
}

/// What backups may be called: as in DynamoDB.
package enum BackupName {
    package static let expectation = "must be 3 to 255 of a-z, A-Z, 0-9, _, - and ."

    package static func isValid(_ name: String) -> Bool {
        (3...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

extension Administration {
    /// Works on tables; what goes wrong becomes a problem.
    func onTables<Result>(_ work: (TableAdministration) throws -> Result) throws(Problem) -> Result {
        do {
            return try work(tables)
        } catch let error as Problem {
            throw error
        } catch let error as TableError {
            throw Problem(error)
        } catch let error as FlagStoreError {
            throw Problem(error, in: defaultEnvironment)
        } catch {
            throw Problem(.internalError, "\(error)")
        }
    }
}

extension AdministrationRequest {
    /// Whether a user of this machine sent it who may do everything with the data directory anyway.
    var isOfThisMachine: Bool { [.local, .command].contains(caller.principal.kind) }

    /// Whoever sent it, as somebody who waits for work.
    var workClient: WorkClient {
        WorkClient(name: clientName, hasLeft: { [isAwaited] in !isAwaited() }, follow: follow)
    }
}
