import Administration
import ArgumentParser
import Glibc
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server account`
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "See to one's own account on a server: password, second factor, recovery codes.",
        discussion: """
            Asks for passwords and codes: on a terminal without showing them, else a line each from standard input. \
            They are never given on the command line, which everybody on the machine can read.
            """,
        subcommands: [Show.self, Password.self, TOTP.self, RecoveryCodes.self])

    /// `flag-server account show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one's own account.")

        @OptionGroup var server: RemoteServerOptions

        func run() throws {
            try CommandEnd.reporting {
                print(UsersCommand.line(try server.answer(RouteRequest(.get, "/api/account"))))
            }
        }
    }

    /// `flag-server account password`
    struct Password: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "password",
            abstract: "Choose another password: 12 characters at least, whichever they are.")

        @OptionGroup var server: RemoteServerOptions

        func run() throws {
            try CommandEnd.reporting {
                let password = try SecretInput.read("password")
                let next = try SecretInput.read("new password")
                guard try SecretInput.read("new password again") == next else {
                    throw CommandFailure("the new passwords differ: nothing was changed")
                }
                let change: JSONValue = ["password": .string(password), "newPassword": .string(next)]
                _ = try server.answer(RouteRequest(.put, "/api/account/password", change))
                StandardError.tell("the password is changed; sign in with it from now on")
            }
        }
    }

    /// `flag-server account totp`
    struct TOTP: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "totp",
            abstract: "Set up the second factor: an app that shows codes, in the place of one that was set up before.")

        @OptionGroup var server: RemoteServerOptions

        func run() throws {
            try CommandEnd.reporting {
                let begun = try server.answer(RouteRequest(.post, "/api/account/totp", AccountCommand.proof()))
                let uri = begun["uri"]?.stringValue ?? ""
                StandardError.tell("give this to your app, or type the secret in; it is shown this once")
                if isatty(STDERR_FILENO) == 1, let code = QRCode(uri) { StandardError.write(code.text) }
                StandardError.write("secret: \(begun["secret"]?.stringValue ?? "")\n\(uri)\n")
                let code = try SecretInput.read("the code that the app shows")
                let response = try server.answer(
                    RouteRequest(.post, "/api/account/totp/confirm", ["code": .string(code)]))
                AccountCommand.printCodes(response)
            }
        }
    }

    /// `flag-server account recovery-codes`
    struct RecoveryCodes: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "recovery-codes",
            abstract: "Have other recovery codes; those of before are good no more.")

        @OptionGroup var server: RemoteServerOptions

        func run() throws {
            try CommandEnd.reporting {
                AccountCommand.printCodes(
                    try server.answer(RouteRequest(.post, "/api/account/recovery-codes", AccountCommand.proof())))
            }
        }
    }

    /// What somebody shows to change their account.
    private static func proof() throws -> JSONValue {
        let password = try SecretInput.read("password")
        let code = try SecretInput.read("code of the app, or a recovery code (empty where there is none yet)")
        return ["password": .string(password), "code": code.isEmpty ? .null : .string(code)]
    }

    /// The codes alone on standard output, so that they can be caught.
    private static func printCodes(_ response: JSONValue) {
        StandardError.tell(
            "each of these recovery codes stands in for the app once; keep them elsewhere: they are shown this once")
        for code in response["recoveryCodes"]?.arrayValue ?? [] { print(code.stringValue ?? "") }
    }
}

extension RouteRequest {
    /// A request with a JSON body.
    fileprivate init(_ method: HTTPMethod, _ path: String, _ body: JSONValue) {
        self.init(method, path, body: body.serializedBytes())
    }
}

extension RemoteServerOptions {
    /// Has the server that is named answer.
    ///
    /// - Throws: why it did not, ready to be told.
    fileprivate func answer(_ request: RouteRequest) throws -> JSONValue {
        guard let remote = try remote() else {
            throw CommandFailure("name the server with --server: an account is somebody's on a server")
        }
        let response = try remote.answer(request)
        guard response.isSuccess else { throw response.failure(of: remote.name) }
        return try response.json()
    }
}
