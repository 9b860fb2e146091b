import Administration
import JSON

/// What a command on long work asks for, as it travels to the server that does the work.
enum WorkRequest: Sendable, Equatable {
    /// Say what is under way.
    case list
    /// Have one piece of it stop.
    case cancel(id: String)

    /// The names of the commands.
    static let commands: Set<String> = ["work list", "work cancel"]

    /// Reads a request that travelled; nil when it is about something else.
    init?(_ request: ControlRequest) throws(ControlError) {
        switch request.command {
        case "work list": self = .list
        case "work cancel":
            guard let id = request.arguments["id"]?.stringValue else {
                throw .malformed("the cancelling lacks the work's id")
            }
            self = .cancel(id: id)
        default: return nil
        }
    }

    /// The request as it travels.
    var request: ControlRequest {
        switch self {
        case .list: ControlRequest(command: "work list", arguments: [:])
        case .cancel(let id): ControlRequest(command: "work cancel", arguments: ["id": .string(id)])
        }
    }

    /// Does it.
    func answer(_ work: WorkList, for client: WorkClient) -> ControlReply {
        switch self {
        case .list: return .done(work.json)
        case .cancel(let id):
            guard let entry = work.cancel(id, by: client.name) else { return .failed(WorkList.unknown(id)) }
            return .done(entry.json)
        }
    }
}
