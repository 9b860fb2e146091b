import ArgumentParser
import FlagCore
import FlagStore
import FoundationEssentials

/// Which store on this machine a command works on.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The profile of the server whose store is meant: local, dev or prod. (default: see --data-dir)",
            valueName: "profile"))
    var profile: String?

    @Option(
        help: ArgumentHelp(
            "The data directory. (default: that of the server that runs, as a service or from the working directory; "
                + "without one as for serve)",
            valueName: "directory"))
    var dataDir: String?

    @Option(help: ArgumentHelp("The YAML file with settings. (default: as for serve)", valueName: "file"))
    var config: String?

    /// What was given, by the key of the setting.
    private var settings: [String: String] {
        let given: [String: String?] = [
            Settings.profile.key: profile, Settings.dataDirectory.key: dataDir, Settings.file.key: config,
        ]
        return given.compactMapValues { $0 }
    }

    /// Whether a store on this machine is named.
    var isGiven: Bool { !settings.isEmpty }

    /// The settings of the server whose store is meant.
    ///
    /// - Throws: `ConfigurationError`; `CommandFailure` when several servers could be meant.
    func configuration() throws -> ServerConfiguration {
        let search = StoreSearch(environment: ProcessInfo.processInfo.environment)
        let configuration = try search.configuration(settings)
        configuration.notices.forEach(StandardError.tell)
        return configuration
    }
}

/// Whose flags a command is about.
struct EnvironmentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "development, staging or production; the profile's name is taken for each: local, dev, prod. (default: for "
                + "import the one that the file names, else that of the profile whose flags the store holds)",
            valueName: "environment"))
    var environment: String?

    func validate() throws {
        if let environment, Environment(spelling: environment) == nil {
            throw ValidationError("--environment must be \(Environment.spellings), not \"\(environment)\".")
        }
    }

    /// The environment that was asked for, nil when none was. What is spelled as a profile is echoed by its own name.
    func chosen() -> Environment? {
        guard let text = environment, let environment = Environment(spelling: text) else { return nil }
        if text != environment.rawValue { StandardError.tell("--environment \(text), that is \(environment.rawValue)") }
        return environment
    }
}
