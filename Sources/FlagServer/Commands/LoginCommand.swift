import Administration
import ArgumentParser
import FlagCore
import FlagStore
import FoundationEssentials
import Glibc
import HTTPTransport
import JSON

/// `flag-server login`
struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Sign in to a server, and have the commands show that for an hour.",
        discussion: """
            Asks for name, password and code on the terminal, or reads password and code from standard input, a line \
            each, and keeps what the server gives for them in a file of one's own (mode 600) under $XDG_STATE_HOME, \
            else ~/.local/state. Commands with --server show it where no key is given. `flag-server logout` deletes it.

            Examples:
              flag-server login --server https://flags.example.com
              flag-server login --server https://flags.example.com --name ann < password.txt
            """)

    @OptionGroup var server: LoginServerOptions

    @Option(help: ArgumentHelp("Who signs in. (default: asked for)", valueName: "name"))
    var name: String?

    func run() throws {
        try CommandEnd.reporting {
            let proof = try proof()
            var body: JSONObject = ["username": .string(proof.name), "password": .string(proof.password)]
            if !proof.code.isEmpty { body["totp"] = .string(proof.code) }
            let remote = try server.remote()
            let response = try remote.answer(
                RouteRequest(.post, "/api/auth/token", body: JSONValue.object(body).serializedBytes()))
            guard response.isSuccess else { throw response.failure(of: remote.name) }
            let json = try response.json()
            guard let token = json["accessToken"]?.stringValue,
                let seconds = json["expiresIn"]?.numberValue?.int64, (1...86_400).contains(seconds)
            else { throw CommandFailure("\(remote.name): the response has no token: is this a flag-server?") }
            let end = Timestamp(millisecondsSinceEpoch: Timestamp.systemClock.millisecondsSinceEpoch + seconds * 1000)
            try KeptLogin(server: server.server, token: token, endsAt: end).write()
            StandardError.tell("signed in to \(remote.name) as \(proof.name) until \(end)")
        }
    }

    private func proof() throws -> (name: String, password: String, code: String) {
        let name = try name ?? askName()
        let password = try SecretInput.read("Password of \(name)")
        // A script that has no code gives none.
        let isTyped = isatty(STDIN_FILENO) == 1
        let code =
            isTyped ? try SecretInput.read("Code of the app, or a recovery code (empty for none)") : readLine() ?? ""
        return (name, password, code)
    }

    private func askName() throws -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure("there is no terminal to ask for the name on: give --name, or use a key (--key-file)")
        }
        StandardError.write("Name: ")
        guard let name = readLine(), !name.isEmpty else { throw CommandFailure("no name was given: nothing was done") }
        return name
    }
}

/// `flag-server logout`
struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Delete what login keeps of a server.",
        discussion: """
            The token that is deleted would be good until its hour is over. `flag-server users sessions NAME` ends \
            everything that was handed out to somebody, wherever it is.
            """)

    @OptionGroup var server: LoginServerOptions

    func run() throws {
        try CommandEnd.reporting {
            let isDeleted = try KeptLogin.delete(server.server)
            StandardError.tell(
                isDeleted ? "signed out of \(server.server)" : "nobody was signed in to \(server.server)")
        }
    }
}

/// Which server somebody signs in to.
struct LoginServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server, http://HOST:PORT, https://HOST:PORT or unix:PATH.", valueName: "URL"))
    var server: String

    @Option(
        help: ArgumentHelp(
            "The certificates that the server's is trusted by. (default: the system's)", valueName: "PEM file"))
    var serverCa: String?

    func validate() throws {
        if let fault = RemoteServer.fault(in: server) { throw ValidationError("--server \(fault).") }
    }

    /// The server, which is shown nothing.
    func remote() throws -> RemoteServer { try RemoteServer(server, certificateFile: serverCa) }
}
