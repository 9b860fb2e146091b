import Administration
import ArgumentParser
import Audit
import FlagCore
import Glibc
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server audit`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read the audit log, check it, and take it elsewhere.",
        discussion: """
            The log has every change, whichever way it came, every refusal for lack of rights, every sign-in, every \
            look at what is kept of secrets and persons, and each start and stop of the server. Its records are \
            chained: one that was changed, dropped or moved is found. Works beside a running server, without one, and \
            with --server through one on another machine.

            Examples:
              flag-server audit list --flag new-checkout
              flag-server audit list --actor ann --since 2026-01-31T00:00:00Z
              flag-server audit head >> /mnt/elsewhere/heads
              flag-server audit verify --against /mnt/elsewhere/heads
              flag-server audit export --output audit.jsonl
            """,
        subcommands: [List.self, Show.self, Verify.self, Head.self, Export.self])

    /// `flag-server audit list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List records, the newest first.",
            discussion: "Each line: sequence, time, outcome, action, what it was done to, by whom, from where, why.")

        @OptionGroup var filter: AuditFilterOptions

        @Option(help: ArgumentHelp("How many at most, from 1 on.", valueName: "number"))
        var limit = 50

        @Option(help: ArgumentHelp("How records are printed.", valueName: "text|json|jsonl"))
        var format = AuditFormat.text

        @OptionGroup var door: DoorOptions

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1.") }
        }

        func run() throws {
            try CommandEnd.reporting {
                var records: [JSONValue] = []
                try AuditPages(query: filter.query, of: "audit list", door: door).forEach(upTo: limit) { page in
                    records += page
                    return records.count < limit
                }
                let text = format.text(of: Array(records.prefix(limit)))
                if !text.isEmpty { print(text) }
            }
        }
    }

    /// `flag-server audit show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a record with what there was before, what after, and the differences.")

        @Argument(help: "The record's sequence.")
        var sequence: Int64

        @OptionGroup var door: DoorOptions

        func run() throws {
            try CommandEnd.reporting {
                let record = try door.answer(
                    RouteRequest(.get, "/api/audit/\(sequence)"), of: "audit show", needing: .tables)
                print(try record.json().serialized(pretty: true))
            }
        }
    }

    /// `flag-server audit verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check the whole log: that nothing of it was changed, dropped, moved or cut off.",
            discussion: """
                That its end was cut off, or all of it written anew by somebody who has the server's key, shows only \
                by a head that was kept elsewhere: see `audit head` and the setting audit.ship.

                Exit status: 0 in order; 1 not, and what is wrong on standard output.
                """)

        @Option(
            help: ArgumentHelp(
                "A file with heads as `audit head` prints them, a line each; what audit.ship has written is one.",
                valueName: "file"))
        var against: String?

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try CommandEnd.reporting {
                let heads = try against.map(AuditCommand.heads(in:)) ?? []
                let body: JSONValue = ["heads": .array(heads)]
                let request = RouteRequest(.post, "/api/audit/chain/verify", body: body.serializedBytes()).inLongWork
                let report = try place.answer(request, of: "audit verify")
                print(place.format.shown(report) ?? AuditCommand.text(of: report))
                guard report["problems"]?.arrayValue?.isEmpty ?? false else { throw CommandEnd.failed }
            }
        }
    }

    /// `flag-server audit head`
    struct Head: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "head",
            abstract: "Print where the log ends, in a line to be kept elsewhere.")

        @OptionGroup var door: DoorOptions

        func run() throws {
            try CommandEnd.reporting {
                let head = try door.answer(RouteRequest(.get, "/api/audit/head"), of: "audit head", needing: .tables)
                print(try head.json().serialized())
            }
        }
    }

    /// The heads in a file; lines that are none, such as records, are passed over.
    private static func heads(in path: String) throws -> [JSONValue] {
        let bytes = try FileBytes.read(path, atMost: 1 << 30)
        let heads = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line -> JSONValue? in
            guard let json = try? JSONValue(parsing: Array(line)), AuditHead(json: json) != nil else { return nil }
            return json
        }
        guard !heads.isEmpty else { throw CommandFailure("\(path): there is no head in the file") }
        // As many as a request may have; the last one says most.
        return Array(heads.suffix(1_000))
    }

    /// A report for people.
    private static func text(of report: JSONValue) -> String {
        func number(_ name: String) -> Int64 { report[name]?.numberValue?.int64 ?? 0 }
        let problems = (report["problems"]?.arrayValue ?? []).compactMap(\.stringValue)
        var lines = problems
        if number("moreProblems") > 0 { lines.append("and \(number("moreProblems")) more") }
        let kept = number("expired") > 0 ? ", those up to \(number("expired")) were removed for their age" : ""
        let heads = number("heads") > 0 ? ", \(number("heads")) heads compared" : ""
        let verdict = problems.isEmpty ? "in order" : "NOT in order"
        lines.append("\(number("records")) records checked\(kept)\(heads): \(verdict)")
        return lines.joined(separator: "\n")
    }
}
