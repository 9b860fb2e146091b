import JSON

/// What travels over the control socket.
struct ControlMessage: Sendable, Equatable {
    /// What it is about.
    var header: JSONValue
    /// A file's contents, where there is a file.
    var payload: [UInt8] = []
}

/// What a command asks of the server that owns the data directory.
struct ControlRequest: Sendable, Equatable {
    /// The version of this protocol; a command and a server of different versions say so instead of guessing.
    static let version: Int64 = 1

    /// The command's name, `import` for example.
    var command: String
    /// What it was given.
    var arguments: JSONObject
    /// The file it was given, if any.
    var payload: [UInt8] = []

    init(command: String, arguments: JSONObject, payload: [UInt8] = []) {
        self.command = command
        self.arguments = arguments
        self.payload = payload
    }

    init(_ message: ControlMessage) throws(ControlError) {
        guard let command = message.header["command"]?.stringValue,
            let arguments = message.header["arguments"]?.objectValue
        else { throw .malformed("it is no command with arguments") }
        guard message.header["version"]?.numberValue?.int64 == Self.version else {
            throw .malformed("the command and the server are of different versions; restart the server")
        }
        self.init(command: command, arguments: arguments, payload: message.payload)
    }

    /// The request as it travels.
    var message: ControlMessage {
        ControlMessage(
            header: [
                "version": .integer(Self.version), "command": .string(command), "arguments": .object(arguments),
            ], payload: payload)
    }
}

/// What the server answers.
enum ControlReply: Sendable, Equatable {
    /// It was done; what the command shows, and the file it writes, if any.
    case done(JSONValue, payload: [UInt8] = [])
    /// It was not done; the text says why and what to do.
    case failed(String)

    init(_ message: ControlMessage) throws(ControlError) {
        if let result = message.header["done"] {
            self = .done(result, payload: message.payload)
        } else if let reason = message.header["failed"]?.stringValue {
            self = .failed(reason)
        } else {
            throw .malformed("the server's answer is neither a result nor a failure")
        }
    }

    /// The reply as it travels.
    var message: ControlMessage {
        switch self {
        case .done(let result, let payload): ControlMessage(header: ["done": result], payload: payload)
        case .failed(let reason): ControlMessage(header: ["failed": .string(reason)])
        }
    }
}
