import ArgumentParser

/// Which server a command asks, in place of working on a data directory.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server to have it done by, http://HOST:PORT, https://HOST:PORT or unix:PATH, in place of a data "
                + "directory. Proxies are taken from http_proxy, https_proxy and no_proxy.", valueName: "URL"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "The certificates that the server's is trusted by. (default: the system's)", valueName: "PEM file"))
    var serverCa: String?

    func validate() throws {
        guard let server else {
            guard serverCa == nil else { throw ValidationError("--server-ca has no meaning without --server.") }
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

    /// The server that is named, if any.
    func remote() throws -> RemoteServer? {
        guard let server else { return nil }
        let remote = try RemoteServer(server, certificateFile: serverCa)
        StandardError.tell("asking the server \(remote.name)")
        return remote
    }
}
