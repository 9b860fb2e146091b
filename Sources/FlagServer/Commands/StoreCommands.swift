import DynamoTable
import FlagCore
import FlagStore
import JSON

/// Does the work of commands on a store: the same code whether the server does it or the command itself.
struct StoreCommands: Sendable {
    /// Where the flags are.
    let store: DataStore

    /// How many changes a dry run lists before it only counts them.
    static let dryRunLines = 10_000

    /// Does what a request asks; blocks until it is done.
    func answer(_ request: ControlRequest) -> ControlReply {
        do {
            switch request.command {
            case ImportRequest.command:
                return .done(try run(ImportRequest(request), by: Principal(.command, request.command)).json)
            case ExportRequest.command:
                return .done(.null, payload: try run(ExportRequest(request)))
            default:
                if let reply = BackupCommands(tables: store.tables, profile: store.profile).answer(request) {
                    return reply
                }
                return .failed("this version of the server does not know the command \(request.command)")
            }
        } catch let error as DefinitionIssues {
            return .failed(Self.list(error.issues))
        } catch FlagStoreError.invalid(let issues) {
            return .failed(Self.list(issues))
        } catch {
            return .failed("\(error)")
        }
    }

    /// Imports a file.
    ///
    /// - Parameter principal: who does it.
    /// - Throws: everything that is wrong with the file, and then nothing was stored; or what the store says.
    func run(_ request: ImportRequest, by principal: Principal) throws -> ImportReport {
        let document = try ImportDocument(parsing: request.file, keepInvalid: request.keepsInvalid)
        let plan = try ImportPlan(
            document, mode: request.mode,
            environment: request.environment ?? document.environment ?? store.profile.defaultEnvironment,
            repository: store.flags, now: .systemClock)
        if !request.isDryRun { try plan.apply(to: store.flags, by: principal) }
        // The last three lines are the counts; what changed one by one is what a dry run is for.
        let lines = plan.lines(limit: request.isDryRun ? Self.dryRunLines : 0)
        return ImportReport(
            environment: plan.environment.rawValue, isDryRun: request.isDryRun,
            lines: request.isDryRun ? lines : lines.suffix(3), kept: document.kept.map(Self.line))
    }

    private func run(_ request: ExportRequest) throws -> [UInt8] {
        let environment = request.environment ?? store.profile.defaultEnvironment
        return try Export(request.format, of: environment, from: store.flags).bytes()
    }

    /// What is wrong with a file, in words.
    static func list(_ issues: [DefinitionIssue]) -> String {
        "nothing was imported, since \(issues.count == 1 ? "something is" : "\(issues.count) things are") wrong:\n"
            + issues.map { "  " + line($0) }.joined(separator: "\n")
    }

    private static func line(_ issue: DefinitionIssue) -> String {
        "\(issue.pointer.isEmpty ? "the file" : issue.pointer) \(issue.message)"
    }
}
