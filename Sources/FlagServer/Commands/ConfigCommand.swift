import ArgumentParser

/// `flag-server config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at settings.", subcommands: [Check.self])

    /// `flag-server config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Say whether `flag-server serve` with the same options could start.",
            discussion: """
                Reads the settings, certificate and key, and the sample flags. Nothing is written, and nothing listens.

                Exit status: 0 all is well; 78 something is wrong, which standard error names.
                """)

        @OptionGroup var options: ServeOptions

        func run() throws {
            var serve = ServeCommand()
            serve.options = options
            serve.check = true
            try serve.run()
        }
    }
}
