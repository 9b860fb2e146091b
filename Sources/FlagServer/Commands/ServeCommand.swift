import ArgumentParser
import FoundationEssentials

/// `flag-server serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve flags over HTTP until SIGTERM or SIGINT.",
        usage: "flag-server [serve] [<options>]",
        discussion: """
            Each option may also be an environment variable (--log-level is FLAG_SERVER_LOG_LEVEL) or stand in a YAML \
            file (log: {level: …}). Options win over variables, variables over the file. The files under config/ list \
            all settings, also those that are no options, with their defaults.

            SIGTERM and SIGINT let requests under way finish, then the server exits 0. GET /health/ready answers 200 \
            as soon as the server can serve.
            """)

    @OptionGroup var options: ServeOptions

    func run() throws {
        try Failure.report {
            let configuration = try ServerConfiguration.load(
                commandLine: options.settings, environment: ProcessInfo.processInfo.environment)
            print(configuration)
        }
    }
}
struct ImportCommand: ParsableCommand { func run() throws {} }
struct ExportCommand: ParsableCommand { func run() throws {} }
