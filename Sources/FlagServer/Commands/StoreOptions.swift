import ArgumentParser
import FlagStore
import FoundationEssentials

/// Which store on this machine a command works on.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "development, staging or production, or the profile's name for each: local, dev, prod. (default: for "
                + "import the one that the file names, else that of the profile whose flags the directory holds)",
            valueName: "environment"))
    var environment: String?

    @Option(
        help: ArgumentHelp(
            "The data directory. (default: as for serve; the profile is then the environment's, else local)",
            valueName: "directory"))
    var dataDir: String?

    @Option(help: ArgumentHelp("The YAML file with settings. (default: as for serve)", valueName: "file"))
    var config: String?

    func validate() throws {
        if let environment, Environment(spelling: environment) == nil {
            throw ValidationError("--environment must be \(Environment.spellings), not \"\(environment)\".")
        }
    }

    /// The environment that was asked for.
    var chosenEnvironment: Environment? { environment.flatMap { Environment(spelling: $0) } }

    /// The settings that a server would have for the same choice.
    func configuration() throws -> ServerConfiguration {
        let given: [String: String?] = [
            Settings.profile.key: chosenEnvironment.map { "\($0.profileName)" }, Settings.dataDirectory.key: dataDir,
            Settings.file.key: config,
        ]
        return try ServerConfiguration.load(
            commandLine: given.compactMapValues { $0 }, environment: ProcessInfo.processInfo.environment)
    }
}
