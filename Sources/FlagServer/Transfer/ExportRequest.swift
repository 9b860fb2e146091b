import FlagCore
import FlagFiles
import FlagStore
import JSON

/// What an export is asked for, as it travels to whoever does it. The answer's payload is the file.
struct ExportRequest: Sendable, Equatable {
    static let command = "export"

    /// What the file looks like.
    var format: ImportDocument.Format
    /// Whose flags; nil for the default environment of the store's profile.
    var environment: Environment?

    init(format: ImportDocument.Format, environment: Environment?) {
        self.format = format
        self.environment = environment
    }

    /// Reads a request that travelled.
    init(_ request: ControlRequest) throws(ControlError) {
        guard let format = request.arguments["format"]?.stringValue.flatMap(ImportDocument.Format.init(rawValue:))
        else { throw .malformed("the export lacks its format") }
        self.init(format: format, environment: try Environment(argument: request.arguments["environment"]))
    }

    /// The request as it travels.
    var request: ControlRequest {
        ControlRequest(
            command: Self.command,
            arguments: [
                "format": .string(format.rawValue),
                "environment": environment.map { .string($0.rawValue) } ?? .null,
            ])
    }
}
