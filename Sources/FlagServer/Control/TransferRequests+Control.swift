import Administration
import FlagCore
import FlagFiles
import JSON

extension ImportRequest {
    /// Reads a request that travelled.
    init(_ request: ControlRequest) throws(ControlError) {
        let arguments = request.arguments
        guard let mode = arguments["mode"]?.stringValue.flatMap(ImportPlan.Mode.init(rawValue:)),
            let isDryRun = arguments["dryRun"]?.boolValue, let keepsInvalid = arguments["keepInvalid"]?.boolValue
        else { throw .malformed("the import lacks an argument") }
        self.init(
            file: request.payload, environment: try Environment(argument: arguments["environment"]), mode: mode,
            isDryRun: isDryRun, keepsInvalid: keepsInvalid)
    }

    /// The request as it travels.
    var request: ControlRequest {
        ControlRequest(
            command: Self.command,
            arguments: [
                "mode": .string(mode.rawValue), "dryRun": .bool(isDryRun), "keepInvalid": .bool(keepsInvalid),
                "environment": environment.map { .string($0.rawValue) } ?? .null,
            ], payload: file)
    }
}

extension ImportReport {
    /// Reads a report that travelled.
    init(_ json: JSONValue) throws(ControlError) {
        guard let environment = json["environment"]?.stringValue, let isDryRun = json["dryRun"]?.boolValue,
            let lines = json["lines"]?.arrayValue?.compactMap(\.stringValue),
            let kept = json["kept"]?.arrayValue?.compactMap(\.stringValue)
        else { throw .malformed("the server's answer is no report of an import") }
        self.init(environment: environment, isDryRun: isDryRun, lines: lines, kept: kept)
    }
}

extension Environment {
    /// Reads an argument of a request: nil where none is named.
    init?(argument: JSONValue?) throws(ControlError) {
        switch argument {
        case nil, .null?: return nil
        case .string(let name)?:
            guard let environment = Environment(spelling: name) else {
                throw .malformed("there is no environment \(name)")
            }
            self = environment
        default: throw .malformed("the environment is no text")
        }
    }
}
extension ExportRequest {
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
