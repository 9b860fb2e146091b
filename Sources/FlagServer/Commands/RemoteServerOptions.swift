import Administration
import ArgumentParser
import FlagCore
import FlagStore
import FoundationEssentials

/// Which server a command asks, in place of working on a data directory.
struct RemoteServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server to have it done by, http://HOST:PORT, https://HOST:PORT or unix:PATH, in place of a data "
                + "directory. Proxies are taken from http_proxy, https_proxy and no_proxy.", valueName: "URL"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "The certificates that the server's is trusted by. (default: the system's)", valueName: "PEM file"))
    var serverCa: String?

    @Option(
        help: ArgumentHelp(
            "The file with the API key to show to the server. (default: the variable FLAG_SERVER_KEY, else what "
                + "`flag-server login` keeps)",
            valueName: "file"))
    var keyFile: String?

    /// Where a key is looked for that no file is named for: never on the command line, which everybody can read.
    static let keyVariable = "FLAG_SERVER_KEY"

    func validate() throws {
        guard let server else {
            guard serverCa == nil else { throw ValidationError("--server-ca has no meaning without --server.") }
            guard keyFile == nil else { throw ValidationError("--key-file has no meaning without --server.") }
            return
        }
        if let fault = RemoteServer.fault(in: server) { throw ValidationError("--server \(fault).") }
    }

    /// Checks that not both a server and a data directory are named.
    func check(besides store: StoreOptions) throws {
        guard server == nil || !store.isGiven else {
            throw ValidationError("--server excludes --profile, --data-dir and --config: the server has its own.")
        }
    }

    /// The key to show; nil for none.
    private func key() throws -> String? {
        guard let keyFile else {
            return try ProcessInfo.processInfo.environment[Self.keyVariable] ?? server.flatMap(Self.login)
        }
        let bytes = try FileBytes.read(keyFile, atMost: 4096)
        let words = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }
        guard words.count == 1 else { throw CommandFailure("\(keyFile): the file must have a key and nothing else") }
        return String(words[0])
    }

    /// What `login` keeps of a server; nil for nothing.
    private static func login(_ server: String) throws -> String? {
        guard let login = try KeptLogin.read(server) else { return nil }
        guard login.endsAt > Timestamp.systemClock else {
            StandardError.tell("the login at \(server) ended at \(login.endsAt): flag-server login --server \(server)")
            return nil
        }
        return login.token
    }

    /// The server that is named, if any.
    func remote() throws -> RemoteServer? {
        guard let server else { return nil }
        let remote = try RemoteServer(server, certificateFile: serverCa, key: try key())
        StandardError.tellOnce("asking the server \(remote.name)")
        return remote
    }
}

/// Who has a request answered: a server that is named, or whoever has the data directory.
struct DoorOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions
    @OptionGroup var server: RemoteServerOptions

    func validate() throws { try server.check(besides: store) }

    /// Has a request answered; blocks until it is.
    ///
    /// - Parameters:
    ///   - command: the command's name.
    ///   - need: what it needs where no server has the directory.
    ///   - creation: what becomes of a directory that is missing.
    /// - Throws: why it was not done, ready to be told.
    func answer(
        _ request: RouteRequest, of command: String, needing need: StoreAccess.Need,
        creation: StoreAccess.Creation = .impossible
    ) throws -> RouteResponse {
        let response = try answerAnyway(request, of: command, needing: need, creation: creation)
        if let advice = response.proposalAdvice { StandardError.tell(advice) }
        return response
    }

    private func answerAnyway(
        _ request: RouteRequest, of command: String, needing need: StoreAccess.Need, creation: StoreAccess.Creation
    ) throws -> RouteResponse {
        guard let remote = try server.remote() else {
            return try StoreAccess.answer(
                request, of: command, needing: need, on: store.configuration(), creation: creation)
        }
        let response = try remote.answer(request)
        guard response.isSuccess else { throw response.failure(of: remote.name) }
        return response
    }
}
