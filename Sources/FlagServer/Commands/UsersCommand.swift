import Access
import Administration
import ArgumentParser
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server users`
struct UsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "Make, list and change the accounts of persons.",
        discussion: """
            An account is made with a password that is shown once, can be used for 24 h, and has to be changed at \
            once. Nobody chooses another's password. Whoever is an administrator, or anything in production, needs a \
            second factor as well: an app that shows codes. Works beside a running server, which has the change in \
            force on all its loops when the command ends, and without one.

            Examples:
              flag-server users create ann --role admin
              flag-server users create bob --role operator --environment production
              flag-server users reset-password bob
            """,
        subcommands: [
            Create.self, List.self, Show.self, SetRoles.self, ResetPassword.self, ResetTOTP.self, Disable.self,
            Enable.self, Sessions.self,
        ])

    /// `flag-server users create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make an account, and print its first password: this once.")

        @Argument(help: "What the person signs in by: small letters, digits, '.', '_' and '-'.")
        var name: String

        @OptionGroup var roles: RoleOptions
        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let body: JSONValue = ["name": .string(name), "roles": roles.json]
            try place.print(
                RouteRequest(.post, "/api/users", body: body.serializedBytes()).because(why), of: "users create",
                UsersCommand.handedOut)
        }
    }

    /// `flag-server users list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List all accounts, by name.",
            discussion: "Each line: name, state, what is left to do, roles, second factor, when it was made, by whom.")

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try place.print(RouteRequest(.get, "/api/users"), of: "users list", member: "users") { users in
                (users.arrayValue ?? []).map(UsersCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server users show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what is known of an account.")

        @OptionGroup var user: UserOptions

        func run() throws { try user.print(.get, nil, of: "show") }
    }

    /// `flag-server users set-roles`
    struct SetRoles: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-roles",
            abstract: "Give a person these roles in the place of all others; they have to sign in anew.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions
        @OptionGroup var roles: RoleOptions

        func run() throws { try user.print(.put, "roles", ["roles": roles.json], of: "set-roles", because: why) }
    }

    /// `flag-server users reset-password`
    struct ResetPassword: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-password",
            abstract: "Give a person another first password, and print it: this once.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions

        func run() throws {
            try user.print(.post, "reset-password", of: "reset-password", because: why, UsersCommand.handedOut)
        }
    }

    /// `flag-server users reset-totp`
    struct ResetTOTP: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-totp",
            abstract: "Take a person's second factor away, with the recovery codes: they have to enrol anew.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions

        func run() throws { try user.print(.post, "reset-totp", of: "reset-totp", because: why) }
    }

    /// `flag-server users disable`
    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Let a person in no more, and end what was handed out to them.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions

        func run() throws { try user.print(.post, "disable", of: "disable", because: why) }
    }

    /// `flag-server users enable`
    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "enable", abstract: "Let a person in again.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions

        func run() throws { try user.print(.post, "enable", of: "enable", because: why) }
    }

    /// `flag-server users sessions`
    struct Sessions: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sessions",
            abstract: "End everything that was handed out to a person: they have to sign in anew.")

        @OptionGroup var why: ReasonOptions
        @OptionGroup var user: UserOptions

        func run() throws { try user.print(.delete, "sessions", of: "sessions", because: why) }
    }

    /// A password as it is handed out: alone on standard output, so that it can be caught.
    private static func handedOut(_ user: JSONValue) -> String {
        StandardError.tell(
            "the password of \(user["name"]?.stringValue ?? ""), to be changed at once, is good until "
                + "\(user["passwordExpiresAt"]?.stringValue ?? ""); it is shown this once")
        return user["password"]?.stringValue ?? ""
    }

    /// An account in one line.
    static func line(_ user: JSONValue) -> String {
        func text(_ name: String) -> String { user[name]?.stringValue ?? "" }
        let roles = (user["roles"]?.objectValue?.members ?? []).map { place, roles in
            "\(place): \((roles.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ","))"
        }
        let standing =
            switch text("standing") {
            case "mustChangePassword":
                user["passwordExpired"] == true ? "first password has ended" : "must change the password"
            case "mustEnrol": "must enrol a second factor"
            default: "in good standing"
            }
        return [
            text("name"), text("state"), standing, roles.isEmpty ? "no roles" : roles.joined(separator: "; "),
            user["secondFactor"] == true ? "second factor" : "password alone", "made \(text("createdAt"))",
            "by \(text("createdBy"))",
        ].joined(separator: "  ")
    }
}

/// Roles, and where they are given.
struct RoleOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What the person may; can be given more than once.", valueName: "role"))
    var role: [Role] = []

    @Option(
        help: ArgumentHelp(
            "Where: an environment, or * for all; can be given more than once. (default: *)",
            valueName: "environment|*"))
    var environment: [String] = []

    func validate() throws {
        guard environment.allSatisfy({ $0 == "*" || Environment(spelling: $0) != nil }) else {
            throw ValidationError("--environment must be \(Environment.spellings), or * for all.")
        }
    }

    /// As the routes take them.
    var json: JSONValue {
        guard !role.isEmpty else { return [:] }
        let roles = JSONValue.array(role.map { .string($0.rawValue) })
        var object = JSONObject()
        for place in environment.isEmpty ? ["*"] : environment { object[place] = roles }
        return .object(object)
    }
}

/// The user that something is done to.
struct UserOptions: ParsableArguments {
    @Argument(help: "The user's name.")
    var name: String

    @OptionGroup var place: PlaceOptions

    /// Asks a route of the user, and prints the response.
    ///
    /// - Parameters:
    ///   - part: what stands behind the name in the path; nil for nothing.
    ///   - command: the name of the command behind `users`.
    ///   - why: why, for what changes something.
    ///   - text: the response for people.
    func print(
        _ method: HTTPMethod, _ part: String?, _ body: JSONValue? = nil, of command: String,
        because why: ReasonOptions? = nil, _ text: (JSONValue) -> String = UsersCommand.line
    ) throws {
        let path = "/api/users/\(PercentEncoding.encodedSegment(name))" + (part.map { "/\($0)" } ?? "")
        let request = RouteRequest(method, path, body: body?.serializedBytes())
        try place.print(why.map(request.because) ?? request, of: "users \(command)", text)
    }
}
