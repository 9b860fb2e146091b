import Administration
import ArgumentParser
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server freezes`
struct FreezesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freezes",
        abstract: "Have an environment stay as it is for a time.",
        discussion: """
            While an environment is frozen, every change of it but kill switches and rollbacks is refused, whichever \
            way it comes. Times are RFC 3339 with an offset.

            Examples:
              flag-server freezes add --environment production --to 2027-01-04T00:00:00+01:00 --reason Christmas
              flag-server freezes list
              flag-server freezes end ID
            """,
        subcommands: [List.self, Add.self, End.self])

    /// `flag-server freezes list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the freezes, the earliest first.",
            discussion: "Each line: identifier, state, environment, begin, end, reason, and who made and ended it.")

        @OptionGroup var environment: EnvironmentOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(
                .get, "/api/freezes", query: [("environment", environment.chosen()?.rawValue)])
            try place.print(request, of: "freezes list", needing: .flags, member: "freezes") { freezes in
                (freezes.arrayValue ?? []).map(FreezesCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server freezes add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Make a freeze.")

        @Option(help: ArgumentHelp("What stays as it is.", valueName: "environment"))
        var environment: String

        @Option(help: ArgumentHelp("From when on. (default: now)", valueName: "time"))
        var from: String?

        @Option(help: ArgumentHelp("Until when; at most 366 days later.", valueName: "time"))
        var to: String

        @Option(help: ArgumentHelp("Why: whoever is held up is told so.", valueName: "text"))
        var reason: String

        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard Environment(spelling: environment) != nil else {
                throw ValidationError("--environment must be \(Environment.spellings), not \"\(environment)\".")
            }
            for (name, text) in [("--from", from), ("--to", to)] {
                guard let text, Timestamp(rfc3339: text) == nil else { continue }
                throw ValidationError("\(name) must be \(Timestamp.expectation), not \"\(text)\".")
            }
        }

        func run() throws {
            var body: JSONObject = [
                "environment": .string(environment), "to": .string(to), "reason": .string(reason),
            ]
            body["from"] = from.map { .string($0) }
            let request = RouteRequest(.post, "/api/freezes", body: JSONValue.object(body).serializedBytes())
            try place.print(request, of: "freezes add", needing: .flags, FreezesCommand.line)
        }
    }

    /// `flag-server freezes end`
    struct End: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "end", abstract: "End a freeze early.")

        @Argument(help: "The freeze's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.delete, "/api/freezes/\(PercentEncoding.encodedSegment(id))")
            try place.print(request.because(why), of: "freezes end", needing: .flags, FreezesCommand.line)
        }
    }

    /// A freeze in one line.
    private static func line(_ freeze: JSONValue) -> String {
        func text(_ name: String) -> String? { freeze[name]?.stringValue }
        var parts = [
            text("id") ?? "", text("state") ?? "", text("environment") ?? "", text("from").map(LocalTime.both) ?? "",
            text("to").map(LocalTime.both) ?? "", text("reason") ?? "",
        ]
        if let by = text("createdBy") { parts.append("by \(by)") }
        if let by = text("endedBy") { parts.append("ended by \(by)") }
        return parts.joined(separator: "  ")
    }
}
