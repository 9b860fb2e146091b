import Administration
import ArgumentParser
import DynamoModel
import HTTPTransport
import JSON

/// `flag-server backup continuous`
struct ContinuousBackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "continuous",
        abstract: "Have every change of a table logged, so that it can be restored as it was at any second.",
        discussion: """
            Reaches back to when it was turned on, at most 35 days: flag-server restore --time. The log is under \
            continuous/ in the data directory. Works beside a running server and without one; aws dynamodb \
            update-continuous-backups does the same.
            """,
        subcommands: [On.self, Off.self, Status.self])

    /// `flag-server backup continuous on`
    struct On: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "on", abstract: "Begin the log of a table; it stays on if it was.")

        @Option(help: "How many days back the table can be restored, 1 to 35; what is older is removed.")
        var days = ContinuousBackups.recoveryPeriodDaysMax

        @OptionGroup var why: ReasonOptions
        @OptionGroup var target: TargetOptions

        func validate() throws {
            guard (1...ContinuousBackups.recoveryPeriodDaysMax).contains(days) else {
                throw ValidationError("--days must be 1 to \(ContinuousBackups.recoveryPeriodDaysMax)")
            }
        }

        func run() throws {
            let body: JSONValue = ["table": target.table.map { .string($0) } ?? .null, "days": .integer(Int64(days))]
            try target.print(
                RouteRequest(.put, "/api/continuous-backups", body: body.serializedBytes()).because(why).inLongWork,
                of: "backup continuous on")
        }
    }

    /// `flag-server backup continuous off`
    struct Off: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "off",
            abstract: "End the log of a table and remove it: the past can no longer be restored from it.",
            discussion: """
                Also removes what is left of earlier tables of the name, which were replaced or deleted.
                """)

        @OptionGroup var why: ReasonOptions
        @OptionGroup var target: TargetOptions

        func run() throws {
            try target.print(
                RouteRequest(.delete, "/api/continuous-backups", query: [("table", target.table)]).because(why),
                of: "backup continuous off")
        }
    }

    /// `flag-server backup continuous status`
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract:
                "Say of each table whether there is a log, which times it can be restored to, and what is damaged.",
            discussion: """
                Tables that were replaced or deleted come behind those that are there, with the time of their end: \
                they can be restored for as many days as if they still were, by flag-server restore --time.
                """)

        @OptionGroup var target: TargetOptions

        func run() throws {
            try target.print(
                RouteRequest(.get, "/api/continuous-backups", query: [("table", target.table)]),
                of: "backup continuous status")
        }
    }

    /// The table that is meant, and where it is.
    struct TargetOptions: ParsableArguments {
        @Option(help: ArgumentHelp("The table. (default: that of the flags; for status all)", valueName: "table"))
        var table: String?

        @OptionGroup var place: PlaceOptions

        /// Has a request answered and prints the response.
        func print(_ request: RouteRequest, of command: String) throws {
            try CommandEnd.reporting {
                let response = try place.answer(request, of: command)
                let shown = response["continuousBackups"] ?? response
                if let text = place.format.shown(shown) { return Swift.print(text) }
                for table in shown.arrayValue ?? [shown] { Swift.print(ContinuousBackupCommand.line(table)) }
            }
        }
    }

    /// What there is of a table, in one line.
    static func line(_ table: JSONValue) -> String {
        let name = table["table"]?.stringValue ?? ""
        let damages = (table["damages"]?.arrayValue ?? []).map { damage in
            let byte = damage["byte"]?.numberValue.map { ", byte \($0)" } ?? ""
            let loss = damage["lostFrom"]?.stringValue.map {
                "not restorable from \($0) to \(damage["lostTo"]?.stringValue ?? "")"
            }
            return "\n  \(loss ?? "damaged, and no time is lost for it"): \(damage["file"]?.stringValue ?? "")\(byte): "
                + (damage["reason"]?.stringValue ?? "")
        }
        let state = table["enabled"]?.boolValue == true ? "on" : table["ended"]?.stringValue.map { "ended \($0)" }
        guard let state else { return "\(name)  off" }
        guard let earliest = table["earliest"]?.stringValue, let latest = table["latest"]?.stringValue else {
            return "\(name)  \(state)  \(table["reason"]?.stringValue ?? "not restorable any more")"
        }
        return "\(name)  \(state)  restorable from \(earliest) to \(latest)" + damages.joined()
    }
}
