import DynamoModel
import FlagCore
import JSON

/// What a command on backups asks for, as it travels to whoever does it.
enum BackupRequest: Sendable, Equatable {
    /// Make a backup of a table: nil for the flags' own.
    case create(table: String?, name: String)
    /// List the backups, of a table if one is named.
    case list(table: String?)
    /// Delete a backup.
    case delete(id: String)
    /// Turn continuous backups of a table on, for so many days back.
    case beginContinuous(table: String?, recoveryPeriodDays: Int)
    /// Turn continuous backups of a table off.
    case endContinuous(table: String?)
    /// Say which tables have continuous backups, of one table if it is named.
    case listContinuous(table: String?)
    /// Make a table.
    case restore(Restore)
    /// Check everything.
    case verify

    /// What a table is made of, and how it is called.
    struct Restore: Sendable, Equatable {
        /// Where the content comes from.
        enum Source: Sendable, Equatable {
            /// The backup of this identifier.
            case backup(String)
            /// The file of a backup.
            case file(String)
            /// A table (nil for the flags' own) as it was at a time; nil for the last write.
            case table(String?, at: Timestamp?)
        }

        let source: Source
        /// The table's name; nil for that of the table that the content is of.
        let target: String?
        /// Whether a table of the name is replaced.
        let replaces: Bool
        /// Where the clock has shown the time several times, at which of them, from 1.
        var pass: Int?
    }

    /// The names of the commands.
    static let commands = [
        "backup create", "backup list", "backup delete", "backup continuous on", "backup continuous off",
        "backup continuous status", "restore", "verify",
    ]

    /// Whether it makes sense where nothing is stored yet: a backup's file can be restored there.
    var canCreateStore: Bool {
        if case .restore(let restore) = self, case .file = restore.source { return true }
        return false
    }

    /// Reads a request that travelled; nil when it is about something else.
    init?(_ request: ControlRequest) throws(ControlError) {
        let arguments = request.arguments
        func text(_ name: String) throws(ControlError) -> String {
            guard let text = arguments[name]?.stringValue else { throw .malformed("\(request.command) lacks \(name)") }
            return text
        }
        let table = arguments["table"]?.stringValue
        switch request.command {
        case "backup create": self = .create(table: table, name: try text("name"))
        case "backup list": self = .list(table: table)
        case "backup delete": self = .delete(id: try text("backup"))
        case "backup continuous on":
            let range = 1...ContinuousBackups.recoveryPeriodDaysMax
            guard let days = arguments["days"]?.numberValue?.int64.flatMap({ Int(exactly: $0) }), range.contains(days)
            else { throw .malformed("days must be a whole number from 1 to \(range.upperBound)") }
            self = .beginContinuous(table: table, recoveryPeriodDays: days)
        case "backup continuous off": self = .endContinuous(table: table)
        case "backup continuous status": self = .listContinuous(table: table)
        case "verify": self = .verify
        case "restore":
            let source: Restore.Source
            if let id = arguments["backup"]?.stringValue {
                source = .backup(id)
            } else if let file = arguments["file"]?.stringValue {
                source = .file(file)
            } else {
                source = .table(table, at: try Self.time(arguments["time"]))
            }
            self = .restore(
                Restore(
                    source: source, target: arguments["target"]?.stringValue,
                    replaces: arguments["replace"]?.boolValue ?? false,
                    pass: arguments["pass"]?.numberValue?.int64.flatMap { Int(exactly: $0) }))
        default: return nil
        }
    }

    /// Reads a time to restore to; nil, where none is named, is the latest.
    private static func time(_ argument: JSONValue?) throws(ControlError) -> Timestamp? {
        switch argument {
        case nil, .null?: return nil
        default:
            guard let time = argument?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
                throw .malformed("time must be \(Timestamp.expectation)")
            }
            return time
        }
    }

    /// The request as it travels.
    var request: ControlRequest {
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        switch self {
        case .create(let table, let name):
            return ControlRequest(command: "backup create", arguments: ["table": text(table), "name": .string(name)])
        case .list(let table): return ControlRequest(command: "backup list", arguments: ["table": text(table)])
        case .delete(let id): return ControlRequest(command: "backup delete", arguments: ["backup": .string(id)])
        case .beginContinuous(let table, let days):
            return ControlRequest(
                command: "backup continuous on", arguments: ["table": text(table), "days": .integer(Int64(days))])
        case .endContinuous(let table):
            return ControlRequest(command: "backup continuous off", arguments: ["table": text(table)])
        case .listContinuous(let table):
            return ControlRequest(command: "backup continuous status", arguments: ["table": text(table)])
        case .verify: return ControlRequest(command: "verify", arguments: [:])
        case .restore(let restore):
            var arguments: JSONObject = ["target": text(restore.target), "replace": .bool(restore.replaces)]
            switch restore.source {
            case .backup(let id): arguments["backup"] = .string(id)
            case .file(let path): arguments["file"] = .string(path)
            case .table(let table, let time):
                arguments["table"] = text(table)
                arguments["time"] = text(time?.rfc3339)
                if let pass = restore.pass { arguments["pass"] = .integer(Int64(pass)) }
            }
            return ControlRequest(command: "restore", arguments: arguments)
        }
    }
}
