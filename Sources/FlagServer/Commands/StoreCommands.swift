import DynamoTable
import FlagCore
import FlagStore
import JSON

/// Does the work of commands on a store: the same code whether the server does it or the command itself.
struct StoreCommands: Sendable {
    /// Where the flags are.
    let store: DataStore

    private var transfer: FlagTransfer {
        FlagTransfer(flags: store.flags, defaultEnvironment: store.profile.defaultEnvironment)
    }

    /// Does what a request asks; blocks until it is done.
    func answer(_ request: ControlRequest) -> ControlReply {
        do {
            switch request.command {
            case ImportRequest.command:
                return .done(try transfer.run(ImportRequest(request), by: Principal(.command, request.command)).json)
            case ExportRequest.command:
                let file = try transfer.run(ExportRequest(request))
                return .done(.array(file.leftOut.map { .string($0) }), payload: file.bytes)
            default:
                if let reply = BackupCommands(tables: store.tables, profile: store.profile).answer(request) {
                    return reply
                }
                return .failed("this version of the server does not know the command \(request.command)")
            }
        } catch let error as DefinitionIssues {
            return .failed(FlagTransfer.list(error.issues))
        } catch {
            return .failed("\(error)")
        }
    }
}
