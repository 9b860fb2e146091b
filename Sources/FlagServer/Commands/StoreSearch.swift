import FlagCore
import FlagStore
import Glibc

/// Finds the store that a command works on where none is named: that of the server that runs on this machine.
///
/// A command that opened a directory of its own beside the server would change, or say, something else than was meant.
struct StoreSearch {
    /// The process's environment.
    let environment: [String: String]
    /// Where the profiles' files are looked for.
    var directories = ["config", "/etc/flag-server"]

    /// The settings of the server whose store is meant: what was given decides, else a server that runs as a service,
    /// else the one that runs on the data directory of a profile. Where none runs, those that `serve` would have.
    ///
    /// - Parameter given: What was given as options, by the key of the setting.
    func configuration(_ given: [String: String]) throws -> ServerConfiguration {
        guard given.isEmpty, !Self.variables.contains(where: { environment[$0] != nil }) else { return try load(given) }
        if let directory = ControlSocket.announcedDirectory(environment), isServed(directory) {
            return try load([Settings.dataDirectory.key: directory])
        }
        var served: [ServerConfiguration] = []
        for profile in Profile.allCases {
            // What is wrong with a file of another profile is nothing to this command.
            guard let configuration = try? load([Settings.profile.key: profile.rawValue]),
                configuration.store == .sqlite, DataDirectory.server(of: configuration.dataDirectory) != nil,
                !served.contains(where: { $0.dataDirectory == configuration.dataDirectory })
            else { continue }
            served.append(configuration)
        }
        guard served.count <= 1 else {
            let list = served.map(\.dataDirectory).joined(separator: " and ")
            throw CommandFailure("servers run on \(list): name the one that is meant with --profile or --data-dir")
        }
        return try served.first ?? load([:])
    }

    /// The variables that say which store is meant.
    private static let variables =
        Settings.profile.variables + Settings.dataDirectory.variables + Settings.file.variables
        + [ServiceDirectory.state.rawValue]

    private func load(_ given: [String: String]) throws -> ServerConfiguration {
        try ServerConfiguration.load(commandLine: given, environment: environment, directories: directories)
    }

    /// Whether a server has the directory, or it cannot be seen whether one has: then that is what is to be told.
    private func isServed(_ directory: String) -> Bool {
        DataDirectory.server(of: directory) != nil || access(directory, R_OK | X_OK) != 0 && errno == EACCES
    }
}
