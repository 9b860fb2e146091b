import Access
import Administration
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Does the work of commands on a store: the same code whether the server does it or the command itself.
struct StoreCommands: Sendable {
    /// Where the flags are.
    let store: DataStore
    /// Where work is listed that may take long.
    var work = WorkList()

    private var transfer: FlagTransfer {
        FlagTransfer(flags: store.flags, defaultEnvironment: store.profile.defaultEnvironment)
    }

    /// Does what a request asks; blocks until it is done.
    func answer(_ request: ControlRequest, for client: WorkClient = .thisProcess) -> ControlReply {
        do {
            switch request.command {
            case ImportRequest.command:
                let request = try ImportRequest(request)
                let report = try work.run(request.title, for: client) { progress in
                    try transfer.run(request, progress) {
                        .command(ImportRequest.command, in: $0, at: .systemClock)
                    }
                }
                return .done(report.json)
            case ExportRequest.command:
                let file = try transfer.run(ExportRequest(request))
                return .done(.array(file.leftOut.map { .string($0) }), payload: file.bytes)
            default:
                let backups = BackupCommands(tables: store.tables, profile: store.profile, work: work)
                if let reply = backups.answer(request, for: client) { return reply }
                return .failed("this version of the server does not know the command \(request.command)")
            }
        } catch let error as DefinitionIssues {
            return .failed(FlagTransfer.list(error.issues))
        } catch {
            return .failed("\(error)")
        }
    }
}
