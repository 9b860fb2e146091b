import ArgumentParser
import FoundationEssentials

/// `flag-server serve`
struct ServeCommand: ParsableCommand {
    /// The command's name, as it stands in the data directory for others to read.
    static let name = "serve"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Serve flags over HTTP until SIGTERM or SIGINT.",
        usage: "flag-server [serve] [<options>]",
        discussion: """
            Each option may also be an environment variable (--log-level is FLAG_SERVER_LOG_LEVEL) or stand in a YAML \
            file (log: {level: …}). Options win over variables, variables over the file. The files under config/ \
            list all settings, also those that are no options, with their defaults.

            SIGTERM and SIGINT let requests under way finish, then the server exits 0. GET /health/ready responses 200 \
            as soon as the server can serve.

            Exit status: 0 stopped as asked; 1 failed, with the reason and what to do on standard error; 64 the \
            command line is wrong; 78 the configuration is wrong.
            """)

    @OptionGroup var options: ServeOptions

    @Flag(help: "Read the settings and the files that they name, say ok or what is wrong (exit status 78), and end.")
    var check = false

    func run() throws {
        try CommandEnd.reporting {
            let environment = ProcessInfo.processInfo.environment
            let configuration = try ServerConfiguration.load(commandLine: options.settings, environment: environment)
            if check { return print(try configuration.checked()) }
            try ServerProcess(configuration: configuration, environment: environment).run()
        }
    }
}
