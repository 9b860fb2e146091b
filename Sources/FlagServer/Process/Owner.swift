import FlagCore
import JSON

/// The process that has a data directory.
struct Owner: Sendable, Equatable {
    var process: Int32
    var command: String
    var startedAt: Timestamp

    init(process: Int32, command: String, startedAt: Timestamp) {
        self.process = process
        self.command = command
        self.startedAt = startedAt
    }

    /// Whether it is a server, which stays, and not a command, which is done soon.
    var isServer: Bool { [ServeCommand.name, DynamoDBCommand.name].contains(command) }

    /// What the owner wrote of itself into a file that is open; nil in the moment before it has done so.
    init?(readingFrom descriptor: Int32) {
        guard let bytes = try? FileBytes.read(descriptor: descriptor, path: "", atMost: 4096),
            let value = try? JSONValue(parsing: bytes, options: JSONParseOptions()),
            case .object(let object) = value,
            case .number(let process)? = object["process"], let number = process.int64,
            let command = object["command"]?.stringValue,
            let startedAt = object["startedAt"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(process: Int32(truncatingIfNeeded: number), command: command, startedAt: startedAt)
    }

    var json: JSONValue {
        .object([
            "process": .number(JSONNumber(Int64(process))), "command": .string(command),
            "startedAt": .string(startedAt.rfc3339),
        ])
    }
}
