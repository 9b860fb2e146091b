import ArgumentParser
import FoundationEssentials
import HTTPRouting

/// `flag-server dynamodb`
struct DynamoDBCommand: ParsableCommand {
    /// The command's name, as it stands in the data directory for others to read.
    static let name = "dynamodb"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Serve tables alone, in DynamoDB's protocol, until SIGTERM or SIGINT.",
        discussion: """
            The same tables and the same endpoint as `flag-server serve --dynamodb-port`, without flags: what DynamoDB \
            Local is used for. Point clients at it with AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 and any \
            credentials; signatures are not checked, which is why it listens on loopback addresses only.

            Exit status: 0 stopped as asked; 1 failed, with the reason and what to do on standard error; 64 the \
            command line is wrong.
            """)

    @Option(help: ArgumentHelp("The loopback address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("The port to listen on; 0 takes a free one.", valueName: "port"))
    var port = 8000

    @Option(
        help: ArgumentHelp(
            "Where the tables are kept. (default: $STATE_DIRECTORY, else data/dynamodb)", valueName: "directory"))
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            "sqlite keeps tables in the data directory, memory forgets them at the stop.",
            valueName: "sqlite|memory"))
    var store: ServerConfiguration.Store = .sqlite

    @Option(
        help: ArgumentHelp(
            "An origin such as http://localhost:5173 whose pages may call; * for all. Several times for several.",
            valueName: "origin"))
    var corsOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file with the key that what is stored is encrypted by. (default: systemd's credential at-rest.key, else "
                + "none)",
            valueName: "file"))
    var atRestKey: String?

    @Option(
        help: ArgumentHelp(
            "The one that did so before, while it is exchanged. (default: systemd's credential at-rest.former-key)",
            valueName: "file"))
    var atRestFormerKey: String?

    @Option(help: ArgumentHelp("How many event loops serve connections. (default: one a core)", valueName: "n"))
    var loops: Int?

    @Option(help: ArgumentHelp("json or text.", valueName: "json|text"))
    var logFormat: ServerConfiguration.Log.Format = .text

    func validate() throws {
        guard ServerConfiguration.isLoopback(host) else {
            throw ValidationError(
                "--host must be a loopback address (127.0.0.1, ::1, localhost), not \(host): nobody is asked for a key."
            )
        }
        for origin in corsOrigin where PageOrigins.complaint(about: origin) != nil {
            throw ValidationError("--cors-origin \(origin): \(PageOrigins.complaint(about: origin) ?? "").")
        }
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535.") }
        guard (1...256).contains(loops ?? 1) else { throw ValidationError("--loops must be from 1 to 256.") }
    }

    func run() throws {
        try CommandEnd.reporting {
            let environment = ProcessInfo.processInfo.environment
            let stateDirectory = ServiceDirectory.state.path(in: environment)
            let settings = DynamoDBProcess.Settings(
                host: host, port: port, dataDirectory: dataDir ?? stateDirectory ?? "data/dynamodb", store: store,
                loops: loops ?? ProcessInfo.processInfo.activeProcessorCount,
                log: ServerConfiguration.Log(format: logFormat), corsOrigins: corsOrigin,
                keys: AtRestKeyFiles(key: atRestKey, formerKey: atRestFormerKey, environment: environment))
            try DynamoDBProcess(settings: settings, environment: environment).run()
        }
    }
}

extension ServerConfiguration.Store: ExpressibleByArgument {}
extension ServerConfiguration.Log.Format: ExpressibleByArgument {}
