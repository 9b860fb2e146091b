import Administration
import ArgumentParser
import FlagCore
import Glibc
import HTTPTransport
import JSON

/// `flag-server restore`
struct RestoreCommand: ParsableCommand {
    /// The command's name.
    static let name = "restore"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Make a table from a backup, or as it was at a point in time.",
        discussion: """
            Examples:
              flag-server restore 01789000000000-1a2b3c4d --to feature-flags-before
              flag-server restore /mnt/copies/01789000000000-1a2b3c4d.backup --replace
              flag-server restore --time 2026-01-02T03:04:05Z --replace

            With --replace, the table is exchanged in one step, for a running server, too; a backup of what it was, \
            with every write that was answered until then, is kept for 35 days. A time can be named when continuous \
            backups of the table are on (flag-server backup continuous on), also one before it was replaced or deleted.

            Exit status: 0 restored; 1 nothing was changed, and why; 64 the command line is wrong.
            """)

    @Argument(help: "The backup's identifier, or the path of its file.")
    var backup: String?

    @Option(help: ArgumentHelp("The time, as in 2026-01-02T03:04:05Z, or latest.", valueName: "time"))
    var time: String?

    @Option(
        help: ArgumentHelp(
            "With --time, where the clock was set back and has shown that time more than once: which of them, from 1.",
            valueName: "number"))
    var pass: Int?

    @Option(help: ArgumentHelp("With --time: the table. (default: that of the flags)", valueName: "table"))
    var table: String?

    @Option(help: ArgumentHelp("The new table's name. (default: the old one's)", valueName: "table"))
    var to: String?

    @Flag(help: "Replace the table if there is one of the name.")
    var replace = false

    @Flag(help: "With the file of a backup: make the data directory where there is none.")
    var create = false

    @OptionGroup var why: ReasonOptions
    @OptionGroup var urgency: EmergencyOptions
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard (backup == nil) != (time == nil) else { throw ValidationError("Name a backup or a --time.") }
        if let pass, pass < 1 || time == nil || time == "latest" {
            throw ValidationError("--pass is 1 or more, and says more of a --time.")
        }
        guard !create || backup.map(Self.isFile) == true else {
            throw ValidationError("--create goes with the file of a backup.")
        }
        if let time, time != "latest", Timestamp(rfc3339: time) == nil {
            throw ValidationError("--time must be latest or \(Timestamp.expectation), not \"\(time)\".")
        }
    }

    func run() throws {
        try CommandEnd.reporting {
            // The file of a backup can be restored where nothing is stored yet.
            let creation: StoreAccess.Creation =
                create ? .requested : backup.map(Self.isFile) == true ? .onRequest : .impossible
            let request = RouteRequest(.post, "/api/restore", body: try body().serializedBytes())
            let table = try place.answer(
                request.because(why).inEmergency(urgency).inLongWork, of: Self.name, creation: creation)
            if let text = place.format.shown(table) { return print(text) }
            print(
                "restored \(table["table"]?.stringValue ?? ""): \(table["items"]?.numberValue?.int64 ?? 0) items")
        }
    }

    private static func isFile(_ backup: String) -> Bool { backup.contains("/") || backup.hasSuffix(".backup") }

    /// What the route is told.
    private func body() throws -> JSONValue {
        var body = JSONObject()
        body["target"] = to.map { .string($0) }
        body["replace"] = .bool(replace)
        guard let backup else {
            body["time"] = time.map { .string($0) }
            body["table"] = table.map { .string($0) }
            body["pass"] = pass.map { .integer(Int64($0)) }
            return .object(body)
        }
        guard Self.isFile(backup) else {
            body["backup"] = .string(backup)
            return .object(body)
        }
        // A server has another working directory than this command.
        guard let resolved = realpath(backup, nil) else {
            throw FileError(path: backup, operation: "read", errno: errno)
        }
        defer { free(resolved) }
        body["file"] = .string(String(cString: resolved))
        return .object(body)
    }
}

/// `flag-server verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything that is stored against itself.",
        discussion: """
            Every page of the file, every index entry against its item and every item against its entries, the \
            change stream and the logs of continuous backups against the items, every backup. Works beside a \
            running server, which goes on meanwhile, and without one. It only looks: no file of the data directory is \
            changed, made or removed.

            Exit status: 0 all is in order; 1 something is not, or could not be checked.
            """)

    @OptionGroup var place: PlaceOptions

    func run() throws {
        try CommandEnd.reporting {
            let report = try place.answer(
                RouteRequest(.post, "/api/verify").inLongWork, of: "verify", needing: .files)
            let problems = report["problems"]?.arrayValue ?? []
            if let text = place.format.shown(report) {
                print(text)
            } else {
                func number(_ name: String) -> Int64 { report[name]?.numberValue?.int64 ?? 0 }
                print(
                    "checked \(number("items")) items, \(number("entries")) index entries, \(number("changes")) changes"
                        + " in the stream, \(number("loggedChanges")) in logs, \(number("backups")) backups")
                for problem in problems { print("  \(problem.stringValue ?? "")") }
            }
            if !problems.isEmpty {
                throw CommandFailure(
                    "\(problems.count == 1 ? "something is" : "\(problems.count) things are") not in order: keep a "
                        + "copy of the data directory, and restore the last backup")
            }
        }
    }
}
