import Administration
import ArgumentParser
import ChangeControl
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server schedules`
struct SchedulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Have changes of flags made at an instant; list, change and cancel them.",
        discussion: """
            A schedule is applied by the server that owns the store, within a second of its time, once, in the name of \
            whoever made it. Times are RFC 3339 with an offset: 2026-12-24T08:00:00+01:00. Works beside a running \
            server and without one; then they are applied when one runs.

            Examples:
              flag-server schedules add --at 2026-12-24T08:00:00+01:00 patchFlag chat '{"defaultEnabled":true}'
              flag-server schedules list
              flag-server schedules change ID --at 2026-12-24T09:00:00+01:00
              flag-server schedules cancel ID --reason "not this year"
            """,
        subcommands: [List.self, Show.self, Add.self, Change.self, Cancel.self])

    /// `flag-server schedules list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the schedules of an environment: those that wait, the next first.",
            discussion: "Each line: identifier, state, time in UTC and here, what is done, by whom, why.")

        @Option(
            help: ArgumentHelp(
                "Which ones: waiting, or those that have ended, the last first: ended for all, or applied, refused, "
                    + "skipped, cancelled.", valueName: "state"))
        var state = "waiting"

        @Option(help: ArgumentHelp("Only those of this flag.", valueName: "flag"))
        var flag: String?

        @Option(help: ArgumentHelp("How many at most.", valueName: "number"))
        var limit: Int?

        @OptionGroup var environment: EnvironmentOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(
                .get, "/api/schedules",
                query: [
                    ("environment", environment.chosen()?.rawValue), ("state", state), ("flag", flag),
                    ("limit", limit.map { "\($0)" }),
                ])
            try place.print(request, of: "schedules list", needing: .flags, member: "schedules") { schedules in
                (schedules.arrayValue ?? []).map(SchedulesCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server schedules show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a schedule.")

        @Argument(help: "The schedule's identifier.")
        var id: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.get, SchedulesCommand.path(id))
            try place.print(request, of: "schedules show", needing: .flags) { schedule in
                "\(SchedulesCommand.line(schedule))\n\(schedule["operation"]?.serialized(pretty: true) ?? "")"
            }
        }
    }

    /// `flag-server schedules change`
    struct Change: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "change",
            abstract: "Change when a schedule is applied, why, or what becomes of it in a conflict.")

        @Argument(help: "The schedule's identifier.")
        var id: String

        @Option(help: ArgumentHelp("When.", valueName: "time"))
        var at: String?

        @Option(help: ArgumentHelp("Why.", valueName: "text"))
        var reason: String?

        @Option(help: ArgumentHelp("If the flag is changed until then.", valueName: "refuse|force"))
        var onConflict: Schedule.ConflictRule?

        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard at != nil || reason != nil || onConflict != nil else {
                throw ValidationError("Say what is to change: --at, --reason or --on-conflict.")
            }
        }

        func run() throws {
            var body = JSONObject()
            body["at"] = at.map { .string($0) }
            body["reason"] = reason.map { .string($0) }
            body["onConflict"] = onConflict.map { .string($0.rawValue) }
            let request = RouteRequest(
                .patch, SchedulesCommand.path(id), body: JSONValue.object(body).serializedBytes())
            try place.print(request, of: "schedules change", needing: .flags, SchedulesCommand.line)
        }
    }

    /// `flag-server schedules cancel`
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Take a schedule back.")

        @Argument(help: "The schedule's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.delete, SchedulesCommand.path(id)).because(why)
            try place.print(request, of: "schedules cancel", needing: .flags, SchedulesCommand.line)
        }
    }

    private static func path(_ id: String) -> String { "/api/schedules/\(PercentEncoding.encodedSegment(id))" }

    /// A schedule in one line.
    static func line(_ schedule: JSONValue) -> String {
        func text(_ name: String) -> String? { schedule[name]?.stringValue }
        let operation = schedule["operation"]
        var parts = [
            text("id") ?? "", text("state").map { schedule["late"] == true ? "\($0) late" : $0 } ?? "",
            text("at").map(LocalTime.both) ?? "", text("environment") ?? "",
            [operation?["operation"]?.stringValue, operation?["name"]?.stringValue].compactMap { $0 }
                .joined(separator: " "),
        ]
        if let tenant = operation?["tenantId"]?.stringValue { parts.append("tenant \(tenant)") }
        if schedule["onConflict"] == "force" { parts.append("forced") }
        parts.append("by \(text("createdBy") ?? "")")
        if let reason = text("reason") { parts.append(reason) }
        if let end = text("endedAt") { parts.append("ended \(end)") }
        if let detail = text("detail") { parts.append(detail) }
        return parts.joined(separator: "  ")
    }
}

extension Schedule.ConflictRule: ExpressibleByArgument {}
