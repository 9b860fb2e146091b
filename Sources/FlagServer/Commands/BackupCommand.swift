import Administration
import ArgumentParser
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Make, list and delete backups of tables; have a log kept of every change.",
        discussion: """
            A backup is one file under backups/ in the data directory, of one moment; copy it elsewhere to have it \
            when the disk is gone. Works beside a running server, which goes on writing meanwhile, and without one.
            """,
        subcommands: [Create.self, List.self, Delete.self, ContinuousBackupCommand.self])

    /// `flag-server backup create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a backup of a table as it is now.")

        @Option(help: ArgumentHelp("A name for people; several backups may have the same.", valueName: "name"))
        var name = "backup"

        @Option(help: ArgumentHelp("The table. (default: that of the flags)", valueName: "table"))
        var table: String?

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard BackupName.isValid(name) else { throw ValidationError("--name \(BackupName.expectation)") }
        }

        func run() throws {
            let body: JSONValue = ["table": table.map { .string($0) } ?? .null, "name": .string(name)]
            let request = RouteRequest(.post, "/api/backups", body: body.serializedBytes())
            try place.print(request.because(why).inLongWork, of: "backup create", BackupCommand.line)
        }
    }

    /// `flag-server backup list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the backups, the oldest first.",
            discussion: """
                Each line: identifier, time, table, items, size of the file, who made it (user or system), name. \
                One that is still being made (the last one of a table that was replaced or deleted) says so behind \
                it. A damaged one has identifier, time, size and what is wrong; it can be deleted like any other.
                """)

        @Option(help: ArgumentHelp("Only those of this table.", valueName: "table"))
        var table: String?

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.get, "/api/backups", query: [("table", table)])
            try place.print(request, of: "backup list", member: "backups") { backups in
                (backups.arrayValue ?? []).map(BackupCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server backup delete`
    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a backup.")

        @Argument(help: "The backup's identifier.")
        var backup: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let path = "/api/backups/\(PercentEncoding.encodedSegment(backup))"
            try place.print(RouteRequest(.delete, path).because(why), of: "backup delete") {
                "deleted \(BackupCommand.line($0))"
            }
        }
    }

    /// A backup in one line.
    static func line(_ backup: JSONValue) -> String {
        func text(_ name: String) -> String { backup[name]?.stringValue ?? "" }
        func number(_ name: String) -> Int64 { backup[name]?.numberValue?.int64 ?? 0 }
        let parts =
            text("status") == "damaged"
            ? [text("id"), text("createdAt"), "damaged", "\(number("sizeBytes")) bytes", text("reason")]
            : [
                text("id"), text("createdAt"), text("table"), "\(number("items")) items",
                "\(number("sizeBytes")) bytes", text("kind"), text("name"),
            ] + (text("status") == "creating" ? ["being made"] : [])
        return parts.joined(separator: "  ")
    }
}

/// Who has a command on tables done, and how it prints.
struct PlaceOptions: ParsableArguments {
    /// How a result is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
        /// One line for each entry of a list.
        case jsonl

        /// A result as it is printed; nil where it is for people.
        func shown(_ result: JSONValue) -> String? {
            switch self {
            case .text: nil
            case .json: result.serialized(pretty: true)
            case .jsonl: (result.arrayValue ?? [result]).map { $0.serialized() }.joined(separator: "\n")
            }
        }
    }

    @Option(help: ArgumentHelp("How the result is printed.", valueName: "text|json|jsonl"))
    var format = Format.text

    @OptionGroup var door: DoorOptions

    /// Has a request answered, and gives its content.
    func answer(
        _ request: RouteRequest, of command: String, needing need: StoreAccess.Need = .tables,
        creation: StoreAccess.Creation = .impossible
    ) throws -> JSONValue {
        try door.answer(request, of: command, needing: need, creation: creation).json()
    }

    /// Has a request answered and prints the response; nothing where the text is empty.
    ///
    /// - Parameters:
    ///   - member: what of the response is meant; nil for all of it.
    ///   - text: the response for people.
    func print(
        _ request: RouteRequest, of command: String, needing need: StoreAccess.Need = .tables, member: String? = nil,
        _ text: (JSONValue) -> String
    ) throws {
        try CommandEnd.reporting {
            let response = try answer(request, of: command, needing: need)
            let meant = member.map { response[$0] ?? .null } ?? response
            let shown = format.shown(meant) ?? text(meant)
            if !shown.isEmpty { Swift.print(shown) }
        }
    }
}
