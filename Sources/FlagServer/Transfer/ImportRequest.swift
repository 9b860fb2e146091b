import FlagCore
import FlagFiles
import FlagStore
import JSON

/// What an import is asked to do, as it travels to whoever does it.
struct ImportRequest: Sendable, Equatable {
    static let command = "import"

    /// The file's contents.
    var file: [UInt8]
    /// The environment to import into; nil for the file's own, else the default one of the store's profile.
    var environment: Environment?
    /// What happens to flags that are there already.
    var mode: ImportPlan.Mode
    /// Whether nothing is to be stored.
    var isDryRun: Bool
    /// Whether flags that do not validate are stored all the same.
    var keepsInvalid: Bool

    /// What it is called while it is under way.
    var title: String {
        let target = environment.map { " into \($0.rawValue)" } ?? ""
        return "import\(target)\(isDryRun ? ", a dry run" : "")"
    }

    init(file: [UInt8], environment: Environment?, mode: ImportPlan.Mode, isDryRun: Bool, keepsInvalid: Bool) {
        self.file = file
        self.environment = environment
        self.mode = mode
        self.isDryRun = isDryRun
        self.keepsInvalid = keepsInvalid
    }

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

/// What an import did, or would do.
struct ImportReport: Sendable, Equatable {
    /// Where it went.
    var environment: String
    /// Whether nothing was stored.
    var isDryRun: Bool
    /// One line for each thing that changes, and the counts.
    var lines: [String]
    /// What is wrong with flags that were stored all the same, by pointers into the file.
    var kept: [String]

    init(environment: String, isDryRun: Bool, lines: [String], kept: [String]) {
        self.environment = environment
        self.isDryRun = isDryRun
        self.lines = lines
        self.kept = kept
    }

    /// Reads a report that travelled.
    init(_ json: JSONValue) throws(ControlError) {
        guard let environment = json["environment"]?.stringValue, let isDryRun = json["dryRun"]?.boolValue,
            let lines = json["lines"]?.arrayValue?.compactMap(\.stringValue),
            let kept = json["kept"]?.arrayValue?.compactMap(\.stringValue)
        else { throw .malformed("the server's answer is no report of an import") }
        self.init(environment: environment, isDryRun: isDryRun, lines: lines, kept: kept)
    }

    /// The report as it travels.
    var json: JSONValue {
        [
            "environment": .string(environment), "dryRun": .bool(isDryRun),
            "lines": .array(lines.map { .string($0) }), "kept": .array(kept.map { .string($0) }),
        ]
    }

    /// The report for people.
    var text: String {
        var text: [String] = []
        if !kept.isEmpty {
            text.append(
                "Not valid, \(isDryRun ? "would be" : "but") stored all the same; evaluating them answers PARSE_ERROR:")
            text += kept.map { "  " + $0 }
        }
        text.append(isDryRun ? "Would change in \(environment), nothing was stored:" : "Imported into \(environment):")
        text += lines.map { "  " + $0 }
        return text.joined(separator: "\n")
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
