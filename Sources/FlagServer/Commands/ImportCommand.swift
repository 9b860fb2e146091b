import Administration
import ArgumentParser
import FlagFiles
import FlagStore
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

    @OptionGroup var place: EnvironmentOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var server: ServerOptions

    func validate() throws {
        try server.check(besides: store)
        guard create else { return }
        guard !dryRun else { throw ValidationError("--create excludes --dry-run, which stores and makes nothing.") }
        guard server.server == nil else { throw ValidationError("--create excludes --server, which has a store.") }
    }

    /// How the result is printed.
    enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    func run() throws {
        try CommandEnd.reporting {
            let remote = try server.remote()
            let maximum = remote == nil ? ControlChannel.maximumPayloadBytes : FlagTransfer.uploadBytes
            let request = ImportRequest(
                file: try FileBytes.read(file, atMost: maximum),
                environment: place.chosen(), mode: mode, isDryRun: dryRun, keepsInvalid: keepInvalid)
            do {
                let report = try remote?.run(request) ?? importLocally(request)
                print(format == .json ? report.json.serialized(pretty: true) : report.text)
            } catch let failure as CommandFailure {
                throw CommandFailure("\(file == "-" ? "standard input" : file): \(failure)")
            }
        }
    }
}

extension ImportCommand {
    private func importLocally(_ request: ImportRequest) throws -> ImportReport {
        try ImportReport(
            StoreAccess.perform(
                request.request, on: store.configuration(), creation: create ? .requested : .onRequest
            ).result)
    }
}

extension ImportPlan.Mode: ExpressibleByArgument {}
