import DynamoModel
import Glibc
import JSON
import TableEngine

/// Where the work of a command on the store is done: by the server that owns the data directory, else by this process.
enum StoreAccess {
    /// How long a command waits for a server that is just starting, or for another command.
    static let patience = Duration.seconds(10)
    /// How long a command waits for the server to do the work: what takes longer is stopped, since the command leaves.
    static let workTimeout = Duration.seconds(3600)

    private static let pause: useconds_t = 20_000

    /// What becomes of a directory that is missing or holds no store.
    enum Creation {
        /// The work makes no sense there.
        case impossible
        /// It is refused and stays as it is: whoever mistyped its name learns so, and how it would be made.
        case onRequest
        /// It is made.
        case requested
    }

    /// Has the request answered; blocks until it is. Tells on standard error by whom, or in which directory.
    ///
    /// - Returns: What is to be shown, and the file that is to be written, if any.
    /// - Throws: What went wrong, ready to be told.
    static func perform(
        _ request: ControlRequest, on configuration: ServerConfiguration, creation: Creation = .impossible
    ) throws -> (result: JSONValue, payload: [UInt8]) {
        guard configuration.store == .sqlite else {
            throw CommandFailure("store is memory: there is no data directory to work on")
        }
        if creation != .requested {
            try requireStore(in: configuration.dataDirectory, for: request.command, creation)
        }
        let reply = try DataDirectory.asOwner(of: configuration.dataDirectory) {
            try answer(request, on: configuration, creates: creation == .requested, before: .now + patience)
        }
        switch reply {
        case .done(let result, let payload): return (result, payload)
        case .failed(let reason): throw CommandFailure(reason)
        }
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

    private static func answer(
        _ request: ControlRequest, on configuration: ServerConfiguration, creates: Bool,
        before deadline: ContinuousClock.Instant
    ) throws -> ControlReply {
        while true {
            do {
                if WorkRequest.commands.contains(request.command) {
                    // Whoever can look at the directory alone is alone.
                    _ = try InspectedDirectory(configuration.dataDirectory, for: request.command)
                    throw CommandFailure(
                        "no server runs on \(configuration.dataDirectory): there is no work of one to look at")
                }
                if request.command == BackupRequest.verify.request.command {
                    let held = try InspectedDirectory(configuration.dataDirectory, for: request.command)
                    defer { withExtendedLifetime(held) {} }
                    tellDirectory(held.path)
                    return .done(BackupCommands.json(try SQLiteTableStore.verify(directory: held.path)))
                }
                if BackupRequest.commands.contains(request.command) {
                    return try DataStore.withTables(of: configuration, for: request.command) { tables in
                        tellDirectory(configuration.dataDirectory)
                        return BackupCommands(tables: tables, profile: configuration.profile).answer(request)
                            ?? .failed("unknown command")
                    }
                }
                let store = try DataStore.openForCommand(configuration, name: request.command, creates: creates)
                defer { store.close() }
                tellDirectory(configuration.dataDirectory)
                return StoreCommands(store: store).answer(request)
            } catch DataDirectoryError.owned(let path, let owner) {
                if let owner, owner.isServer, let channel = try connect(to: path, before: deadline) {
                    StandardError.tell(
                        "asking the server that has \(absolute(path)), process \(owner.process)")
                    // Its content is taken when the commands before it are done.
                    try channel.send(request.message, within: workTimeout)
                    return try ControlReply(channel.receive(within: workTimeout))
                }
                guard ContinuousClock.now < deadline else {
                    throw DataDirectoryError.owned(path: path, owner: owner)
                }
                usleep(pause)
            }
        }
    }

    private static func tellDirectory(_ path: String) {
        StandardError.tell("working on \(absolute(path)), which no server has open")
    }

    /// The path without links, so that it means the same to everybody.
    private static func absolute(_ path: String) -> String { (try? DataDirectory.resolve(path)) ?? path }

    /// A channel to the server; nil while it may still be starting.
    private static func connect(
        to directory: String, before deadline: ContinuousClock.Instant
    ) throws(ControlError) -> ControlChannel? {
        do {
            return try ControlSocket.connect(in: directory)
        } catch {
            guard ContinuousClock.now < deadline else { throw error }
            return nil
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
