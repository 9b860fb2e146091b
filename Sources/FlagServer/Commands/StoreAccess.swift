import Administration
import FoundationEssentials
import Glibc
import TableEngine

/// Where the work of a command on the store is done: by the server that owns the data directory, else by this process.
enum StoreAccess {
    /// How long a command waits for a server that is just starting, or for another command.
    static let patience = Duration.seconds(10)
    /// What becomes of a directory that is missing or holds no store.
    enum Creation {
        /// The work makes no sense there.
        case impossible
        /// It is refused and stays as it is: whoever mistyped its name learns so, and how it would be made.
        case onRequest
        /// It is made.
        case requested
    }

    /// What a request needs where no server owns the directory.
    enum Need {
        /// The flags.
        case flags
        /// The tables, whatever is in them.
        case tables
        /// The files, to look at.
        case files
        /// A server: it is about what that does.
        case server
    }

    /// Has the request answered; blocks until it is. Tells on standard error by whom, or in which directory.
    ///
    /// - Parameter command: the command's name.
    /// - Throws: What went wrong, ready to be told.
    static func answer(
        _ request: RouteRequest, of command: String, needing need: Need, on configuration: ServerConfiguration,
        creation: Creation = .impossible
    ) throws -> RouteResponse {
        guard configuration.store == .sqlite else {
            throw CommandFailure("store is memory: there is no data directory to work on")
        }
        if creation != .requested { try requireStore(in: configuration.dataDirectory, for: command, creation) }
        // As whoever runs the command: the files of keys need not be the directory's owner's to read. Where a server
        // has the directory, nobody asks for them.
        let keys = Result { [files = configuration.atRestKeyFiles(environment: ProcessInfo.processInfo.environment)] in
            try files.read()
        }
        let response = try DataDirectory.asOwner(of: configuration.dataDirectory) {
            try LocalStore(
                configuration: configuration, command: command, creates: creation == .requested,
                keys: { try keys.get() }
            ).answer(request, needing: need, before: .now + patience)
        }
        guard response.isSuccess else { throw response.failure(of: nil) }
        return response
    }

    /// Throws when the directory is missing, or nothing was ever stored in it. What cannot be seen is left to whoever
    /// opens it, whose errors say why.
    private static func requireStore(in directory: String, for command: String, _ creation: Creation) throws {
        let orCreate = creation == .onRequest ? ", or have it made with --create" : ""
        guard access(directory, F_OK) == 0 || errno != ENOENT else {
            throw CommandFailure("there is no data directory \(directory): name it with --data-dir\(orCreate)")
        }
        guard access("\(directory)/\(SQLiteTableStore.fileName)", F_OK) == 0 || errno != ENOENT else {
            // What is left of a store is something else than a directory that never held one.
            _ = try DataDirectoryInspection(of: directory).check(for: command)
            throw CommandFailure(
                "nothing is stored in \(directory): name the data directory with --data-dir\(orCreate)")
        }
    }
}

/// Why a command did not do what it was asked; the text is for the person who asked.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
