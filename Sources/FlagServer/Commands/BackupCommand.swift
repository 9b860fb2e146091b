import ArgumentParser
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
        static let configuration = CommandConfiguration(abstract: "Make a backup of a table as it is now.")

        @Option(help: ArgumentHelp("A name for people; several backups may have the same.", valueName: "name"))
        var name = "backup"

        @Option(help: ArgumentHelp("The table. (default: that of the flags)", valueName: "table"))
        var table: String?

        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard (3...255).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
                throw ValidationError("--name must be 3 to 255 of a-z, A-Z, 0-9, _, - and .")
            }
        }

        func run() throws {
            try CommandEnd.reporting {
                let backup = try place.perform(.create(table: table, name: name))
                print(place.format == .json ? backup.serialized(pretty: true) : BackupCommand.line(backup))
            }
        }
    }

    /// `flag-server backup list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
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
            try CommandEnd.reporting {
                let backups = try place.perform(.list(table: table))
                if place.format == .json { return print(backups.serialized(pretty: true)) }
                for backup in backups.arrayValue ?? [] { print(BackupCommand.line(backup)) }
            }
        }
    }

    /// `flag-server backup delete`
    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a backup.")

        @Argument(help: "The backup's identifier.")
        var backup: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try CommandEnd.reporting {
                let deleted = try place.perform(.delete(id: backup))
                print(
                    place.format == .json
                        ? deleted.serialized(pretty: true) : "deleted \(BackupCommand.line(deleted))")
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

/// Whether a byte may be part of the name of a table or a backup.
private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
        true
    default: false
    }
}

/// Which data directory a command on tables works on, and how it prints.
struct PlaceOptions: ParsableArguments {
    /// How a result is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(help: ArgumentHelp("How the result is printed.", valueName: "text|json"))
    var format = Format.text

    @OptionGroup var store: StoreOptions

    /// Has a request answered, by the server that owns the directory or by this process.
    ///
    /// - Parameter creates: whether the store is made where there is none.
    func perform(_ request: BackupRequest, creates: Bool = false) throws -> JSONValue {
        let creation: StoreAccess.Creation =
            creates ? .requested : request.canCreateStore ? .onRequest : .impossible
        return try StoreAccess.perform(request.request, on: store.configuration(), creation: creation).result
    }
}
