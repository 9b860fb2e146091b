import Access
import Administration
import ArgumentParser
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server access-keys`
struct AccessKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-keys",
        abstract: "Make, list and revoke the access keys that DynamoDB clients sign their requests with.",
        discussion: """
            With --auth on the DynamoDB port opens when there is such a key. What a key may do, its policy says: an \
            IAM policy document. Works beside a running server, which has the change in force when the command ends, \
            and without one.

            Example:
              flag-server access-keys create --name operators --policy config/iam/flag-operators.json
            """,
        subcommands: [Create.self, List.self, Show.self, Revoke.self])

    /// `flag-server access-keys create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make an access key, and print it: its secret is shown this once.",
            discussion: "Prints two lines that a shell or an environment file takes as they are.")

        @Option(help: ArgumentHelp("What people call it.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("The IAM policy document that says what it may.", valueName: "JSON file"))
        var policy: String

        @Option(help: ArgumentHelp("How often requests may be signed with it: 100/s, 5000/min.", valueName: "rate"))
        var rate: String?

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard rate == nil || rate.flatMap({ RequestRate($0) }) != nil else {
                throw ValidationError("--rate must be \(RequestRate.expectation).")
            }
        }

        func run() throws {
            try CommandEnd.reporting {
                let text = try FileBytes.read(policy, atMost: Self.policyBytes)
                let document: JSONValue
                do throws(JSONError) {
                    document = try JSONValue(parsing: text)
                } catch {
                    throw CommandFailure("\(policy): \(error)")
                }
                var body: JSONObject = ["name": .string(name), "policy": document]
                body["rate"] = rate.map { .string($0) }
                let request = RouteRequest(
                    .post, "/api/access-keys", body: JSONValue.object(body).serializedBytes())
                let response = try place.answer(request.because(why), of: "access-keys create")
                for warning in response["warnings"]?.arrayValue ?? [] {
                    StandardError.tell("warning: \(warning.stringValue ?? "")")
                }
                print(place.format.shown(response) ?? Self.handedOut(response))
            }
        }

        /// Far more than a policy may have.
        private static let policyBytes = 1 << 20

        private static func handedOut(_ key: JSONValue) -> String {
            StandardError.tell("access key \(key["name"]?.stringValue ?? ""); its secret is shown this once")
            return """
                AWS_ACCESS_KEY_ID=\(key["AccessKeyId"]?.stringValue ?? "")
                AWS_SECRET_ACCESS_KEY=\(key["SecretAccessKey"]?.stringValue ?? "")
                """
        }
    }

    /// `flag-server access-keys list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List all access keys, the oldest first.",
            discussion: "Each line: identifier, state, when it was made, by whom, when it was last used, name.")

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.get, "/api/access-keys")
            try place.print(request, of: "access-keys list", member: "accessKeys") { keys in
                (keys.arrayValue ?? []).map(AccessKeysCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server access-keys show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what is known of an access key, its policy with it; the secret is not.")

        @Argument(help: "The key's identifier.")
        var id: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.get, AccessKeysCommand.path(id))
            try place.print(request, of: "access-keys show") { key in
                "\(AccessKeysCommand.line(key))\n\(key["policy"]?.serialized(pretty: true) ?? "")"
            }
        }
    }

    /// `flag-server access-keys revoke`
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "End an access key at once, also on connections that are open.")

        @Argument(help: "The key's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.delete, AccessKeysCommand.path(id), query: [("reason", why.reason)])
            try place.print(request.because(why), of: "access-keys revoke", AccessKeysCommand.line)
        }
    }

    private static func path(_ id: String) -> String { "/api/access-keys/\(PercentEncoding.encodedSegment(id))" }

    /// A key in one line.
    private static func line(_ key: JSONValue) -> String {
        func text(_ name: String) -> String { key[name]?.stringValue ?? "" }
        var parts = [
            text("AccessKeyId"), text("state"), "made \(text("createdAt"))", "by \(text("createdBy"))",
            key["lastUsed"]?.stringValue.map { "used \($0)" } ?? "not used", text("name"),
        ]
        if let rate = key["rate"]?.stringValue { parts.append(rate) }
        if let reason = key["reason"]?.stringValue { parts.append("revoked: \(reason)") }
        return parts.joined(separator: "  ")
    }
}
