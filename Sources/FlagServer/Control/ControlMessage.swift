import JSON

/// What a command asks of the server that owns the data directory.
struct ControlRequest: Sendable, Equatable {
    /// The version of this protocol; a command and a server of different versions say so instead of guessing.
    static let version: Int64 = 1

    /// The command's name, `import` for example.
    var command: String
    /// What it was given.
    var arguments: JSONObject

    init(command: String, arguments: JSONObject) {
        self.command = command
        self.arguments = arguments
    }

    init(_ json: JSONValue) throws(ControlError) {
        guard let object = json.objectValue, let command = object["command"]?.stringValue,
            let arguments = object["arguments"]?.objectValue
        else { throw .malformed("it is no command with arguments") }
        guard case .number(let version)? = object["version"], version.int64 == Self.version else {
            throw .malformed("the command and the server are of different versions; restart the server")
        }
        self.init(command: command, arguments: arguments)
    }

    var json: JSONValue {
        .object([
            "version": .number(JSONNumber(Self.version)), "command": .string(command), "arguments": .object(arguments),
        ])
    }
}

/// What the server answers.
enum ControlReply: Sendable, Equatable {
    /// It was done; the value is what the command shows.
    case done(JSONValue)
    /// It was not done; the text says why and what to do.
    case failed(String)

    init(_ json: JSONValue) throws(ControlError) {
        if let result = json.objectValue?["done"] {
            self = .done(result)
        } else if let reason = json.objectValue?["failed"]?.stringValue {
            self = .failed(reason)
        } else {
            throw .malformed("the server's answer is neither a result nor a failure")
        }
    }

    var json: JSONValue {
        switch self {
        case .done(let result): .object(["done": result])
        case .failed(let reason): .object(["failed": .string(reason)])
        }
    }
}
