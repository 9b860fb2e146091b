import Access
import Administration
import ArgumentParser
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server keys`
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make, list, renew and revoke the API keys that callers come in by.",
        discussion: """
            With --auth on every request shows a key: Authorization: Bearer KEY. A key is shown once, when it is made; \
            afterwards it goes by its selector. Works beside a running server, which has the change in force on all \
            its loops when the command ends, and without one.

            Examples:
              flag-server keys create --name first --kind admin --environment '*' --role admin
              flag-server keys create --name checkout --kind server --environment production
              flag-server keys create --name shop-page --kind client --environment production --expires never
            """,
        subcommands: [Create.self, List.self, Show.self, Rotate.self, Revoke.self])

    /// `flag-server keys create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a key, and print it: this once.",
            discussion: """
                A server key evaluates every flag of its environment. A client key is for browsers and apps, where \
                everybody can read it: it evaluates flags with "clientSide": true alone. An admin key is for scripts, \
                and may what its roles may: viewer, editor, operator, admin.
                """)

        @Option(help: ArgumentHelp("What people call it.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("What it is for.", valueName: "server|client|admin"))
        var kind: KeyKind

        @Option(help: ArgumentHelp("Where it is good: an environment, or * for all.", valueName: "environment|*"))
        var environment: String

        @Option(help: ArgumentHelp("What an admin key may; can be given more than once.", valueName: "role"))
        var role: [Role] = []

        @Option(help: ArgumentHelp("The only tenant that requests with it can be about.", valueName: "tenant"))
        var tenant: String?

        @Option(help: ArgumentHelp("When it ends: 90d, 12h or never.", valueName: "time"))
        var expires = "90d"

        @Option(
            help: ArgumentHelp("How often evaluations may be asked for with it: 100/s, 5000/min.", valueName: "rate"))
        var rate: String?

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard environment == "*" || Environment(spelling: environment) != nil else {
                throw ValidationError("--environment must be \(Environment.spellings), or * for all.")
            }
            guard let lifetime = KeyLifetime(expires) else {
                throw ValidationError("--expires \(KeyLifetime.expectation).")
            }
            guard rate == nil || rate.flatMap({ RequestRate($0) }) != nil else {
                throw ValidationError("--rate must be \(RequestRate.expectation).")
            }
            let draft = KeyDraft(
                kind: kind, name: name, environment: nil, roles: role, tenantID: tenant, lifetime: lifetime,
                rate: rate.flatMap { RequestRate($0) })
            if let fault = draft.fault {
                throw ValidationError("\(fault.detail.prefix(1).uppercased())\(fault.detail.dropFirst()).")
            }
        }

        func run() throws {
            var body: JSONObject = [
                "name": .string(name), "kind": .string(kind.rawValue), "environment": .string(environment),
                "expires": .string(expires),
            ]
            if !role.isEmpty { body["roles"] = .array(role.map { .string($0.rawValue) }) }
            body["rate"] = rate.map { .string($0) }
            body["tenantId"] = tenant.map { .string($0) }
            let request = RouteRequest(.post, "/api/keys", body: JSONValue.object(body).serializedBytes())
            try place.print(request.because(why), of: "keys create", KeysCommand.handedOut)
        }
    }

    /// `flag-server keys list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List all keys, the oldest first.",
            discussion: "Each line: selector, kind, environment, state, end, last use, name, roles, tenant.")

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try place.print(RouteRequest(.get, "/api/keys"), of: "keys list", member: "keys") { keys in
                (keys.arrayValue ?? []).map(KeysCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server keys show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what is known of a key; the key itself is not.")

        @Argument(help: "The key's selector: the 12 characters behind its kind.")
        var selector: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try place.print(RouteRequest(.get, KeysCommand.path(selector)), of: "keys show", KeysCommand.line)
        }
    }

    /// `flag-server keys rotate`
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Give a key another secret, and print it: this once.",
            discussion: "The one before stays good for a while, so that clients can be given the new one.")

        @Argument(help: "The key's selector.")
        var selector: String

        @Option(help: ArgumentHelp("For how long the one before stays good; 0h ends it at once.", valueName: "time"))
        var overlap = "24h"

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let body: JSONValue = ["overlap": .string(overlap)]
            let request = RouteRequest(
                .post, "\(KeysCommand.path(selector))/rotate", body: body.serializedBytes())
            try place.print(request.because(why), of: "keys rotate", KeysCommand.handedOut)
        }
    }

    /// `flag-server keys revoke`
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "End a key at once, also on connections that are open.")

        @Argument(help: "The key's selector.")
        var selector: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.delete, KeysCommand.path(selector), query: [("reason", why.reason)])
            try place.print(request.because(why), of: "keys revoke", KeysCommand.line)
        }
    }

    private static func path(_ selector: String) -> String {
        "/api/keys/\(PercentEncoding.encodedSegment(selector))"
    }

    /// A key as it is handed out: alone on standard output, so that it can be caught.
    private static func handedOut(_ key: JSONValue) -> String {
        let end = key["expiresAt"]?.stringValue.map { "ends \($0)" } ?? "never ends"
        StandardError.tell(
            "\(key["kind"]?.stringValue ?? "") key \(key["selector"]?.stringValue ?? ""), \(end); it is shown this once"
        )
        return key["key"]?.stringValue ?? ""
    }

    /// A key in one line.
    private static func line(_ key: JSONValue) -> String {
        func text(_ name: String) -> String { key[name]?.stringValue ?? "" }
        let roles = (key["roles"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
        var parts = [
            text("selector"), text("kind"), text("environment"), text("state"),
            key["expiresAt"]?.stringValue.map { "ends \($0)" } ?? "never ends",
            key["lastUsed"]?.stringValue.map { "used \($0)" } ?? "not used", text("name"),
        ]
        if !roles.isEmpty { parts.append(roles) }
        if let rate = key["rate"]?.stringValue { parts.append(rate) }
        if let tenant = key["tenantId"]?.stringValue { parts.append("tenant \(tenant)") }
        if let reason = key["reason"]?.stringValue { parts.append("revoked: \(reason)") }
        return parts.joined(separator: "  ")
    }
}

extension KeyKind: ExpressibleByArgument {}
extension Role: ExpressibleByArgument {}
