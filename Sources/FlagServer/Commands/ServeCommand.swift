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

            SIGHUP reads the settings and the certificate again: throttle, cors.origins, metrics.allow, log.level, \
            log.levels, log.access, freeze and approvals are in force at once, others at the next start; with a \
            mistake in them, everything stays as it was. SIGUSR1 has all of the log written for ten minutes.

            Exit status: 0 stopped as asked; 1 failed, with the reason and what to do on standard error; 64 the \
            command line is wrong; 78 the configuration is wrong.
            """)

    @OptionGroup var options: ServeOptions

    @Flag(help: "Read the settings and the files that they name, say ok or what is wrong (exit status 78), and end.")
    var check = false

    func run() throws {
        try CommandEnd.reporting {
            let environment = ProcessInfo.processInfo.environment
            func read() throws -> (ServerConfiguration, written: [String: String]) {
                try ServerConfiguration.read(commandLine: options.settings, environment: environment)
            }
            let (configuration, written) = try read()
            if check { return print(try configuration.checked(environment: environment)) }
            try ServerProcess(
                configuration: configuration, environment: environment, written: written, readAgain: read
            ).run()
        }
    }
}
