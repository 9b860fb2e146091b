import Administration
import ArgumentParser
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server work`
struct WorkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "List the long work that a running server does, or have it stop.",
        discussion: """
            Imports, backups and restores. What is stopped stops between two transactions: what is done stays, and \
            whoever waits for it is told how much that is; doing the same again does the rest. Work also stops when \
            its client leaves and when the server does.
            """,
        subcommands: [List.self, Cancel.self])

    /// `flag-server work list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List what is under way, the oldest first.",
            discussion: "Each line: identifier, what, how far, since when, who has it done.")

        @OptionGroup var target: TargetOptions

        func run() throws {
            try target.place.print(RouteRequest(.get, "/api/work"), of: "work list", needing: .server) { list in
                (list["work"]?.arrayValue ?? []).map(WorkCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server work cancel`
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Have a piece of work stop at its next step.")

        @Argument(help: "The work's identifier, as `work list` has it.")
        var work: String

        @OptionGroup var target: TargetOptions

        func run() throws {
            let path = "/api/work/\(PercentEncoding.encodedSegment(work))"
            try target.place.print(RouteRequest(.delete, path), of: "work cancel", needing: .server) {
                "will stop: \(WorkCommand.line($0))"
            }
        }
    }

    /// Which server is asked.
    struct TargetOptions: ParsableArguments {
        @OptionGroup var place: PlaceOptions
    }

    /// A piece of work in one line.
    private static func line(_ work: JSONValue) -> String {
        func text(_ name: String) -> String { work[name]?.stringValue ?? "" }
        let done = work["done"]?.numberValue?.int64 ?? 0
        let extent = work["total"]?.numberValue?.int64.map { "\(done) of \($0) changes" } ?? "under way"
        return [
            text("id"), text("what"), extent + (work["stopping"]?.boolValue == true ? ", stopping" : ""),
            "since \(text("startedAt"))", text("by"),
        ].joined(separator: "  ")
    }
}
