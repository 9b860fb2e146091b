import Administration
import ArgumentParser
import FlagCore
import FlagFiles
import FlagStore
import HTTPClient
import HTTPTransport
import JSON

/// `flag-server import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ImportRequest.command,
        abstract: "Import flags from a file in flagd's format or the native one.",
        discussion: """
            Works beside a running server, which has the change in force when the command ends, without one, and with \
            --server through one on another machine; which server or directory it was is told on standard error. \
            What the file does not mention at all stays as it is; importing a file twice changes nothing more.

            Flags that do not validate are all listed with their places in the file; nothing is imported then.

            Exit status: 0 imported, or shown what would be; 1 nothing was imported, and why; 64 the command line is \
            wrong; 78 the configuration is wrong.
            """)

    @Argument(help: "The file; - reads standard input.")
    var file: String

    @Option(
        help: ArgumentHelp(
            "create-only leaves flags alone that exist; merge changes what the file names; replace also removes what "
                + "it does not name.", valueName: "mode"))
    var mode = ImportPlan.Mode.merge

    @Flag(help: "Show what would change, and store nothing.")
    var dryRun = false

    @Flag(help: "Store flags that do not validate (PARSE_ERROR), and overrides that are ignored, all the same.")
    var keepInvalid = false

    @Flag(help: "Make the data directory where there is none.")
    var create = false

    @Option(help: ArgumentHelp("How the result is printed.", valueName: "text|json"))
    var format = ReportFormat.text

    @OptionGroup var why: ReasonOptions
    @OptionGroup var urgency: EmergencyOptions
    @OptionGroup var place: EnvironmentOptions
    @OptionGroup var door: DoorOptions

    func validate() throws {
        guard create else { return }
        guard !dryRun else { throw ValidationError("--create excludes --dry-run, which stores and makes nothing.") }
        guard door.server.server == nil else { throw ValidationError("--create excludes --server, which has a store.") }
    }

    /// How the result is printed.
    enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    func run() throws {
        try CommandEnd.reporting {
            let isElsewhere = door.server.server != nil
            let content = try FileBytes.read(
                file, atMost: isElsewhere ? FlagTransfer.uploadBytes : ControlDoor.uploadBytes)
            let request = RouteRequest(
                .post, "/api/import",
                query: [
                    ("mode", mode.rawValue), ("dryRun", "\(dryRun)"), ("keepInvalid", "\(keepInvalid)"),
                    ("environment", place.chosen()?.rawValue),
                ], body: content)
            do {
                let response = try door.answer(
                    request.because(why).inEmergency(urgency).inLongWork, of: ImportRequest.command, needing: .flags,
                    creation: create ? .requested : .onRequest)
                let report = try ImportReport(response.json())
                print(format == .json ? report.json.serialized(pretty: true) : report.text)
            } catch let failure as CommandFailure {
                throw CommandFailure("\(file == "-" ? "standard input" : file): \(failure)")
            } catch let error as HTTPClientError where error.mayHaveArrived && !dryRun {
                throw CommandFailure(
                    "\(error); it may have been imported all the same, and importing it again does no harm")
            }
        }
    }
}

extension ImportReport {
    /// Reads what a server reports.
    init(_ json: JSONValue) throws {
        guard let environment = json["environment"]?.stringValue, let isDryRun = json["dryRun"]?.boolValue,
            let lines = json["lines"]?.arrayValue?.compactMap(\.stringValue),
            let kept = json["kept"]?.arrayValue?.compactMap(\.stringValue)
        else { throw CommandFailure("the server's answer is no report of an import") }
        self.init(environment: environment, isDryRun: isDryRun, lines: lines, kept: kept)
    }
}

extension ImportPlan.Mode: ExpressibleByArgument {}
