import Administration
import ArgumentParser
import Audit
import FlagCore
import Glibc
import HTTPTransport
import JSON

extension AuditCommand {
    /// `flag-server audit export`
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write records to a file, the oldest first, however many there are.")

        @OptionGroup var filter: AuditFilterOptions

        @Option(help: ArgumentHelp("The file to write. (default: standard output)", valueName: "file"))
        var output: String?

        @Option(help: ArgumentHelp("How records are written.", valueName: "text|json|jsonl"))
        var format = AuditFormat.jsonl

        @OptionGroup var door: DoorOptions

        func run() throws {
            try CommandEnd.reporting {
                let file = try AuditFile(output)
                let head = try door.answer(RouteRequest(.get, "/api/audit/head"), of: "audit export", needing: .tables)
                let end = try head.json()["head"]?.numberValue?.int64 ?? 0
                let progress = ProgressLine()
                defer { progress.clear() }
                var (written, last) = (0, Int64(0))
                if format == .json { try file.write("[") }
                try AuditPages(query: filter.query + [("order", "oldest")], of: "audit export", door: door).forEach {
                    page in
                    for record in page {
                        last = record["sequence"]?.numberValue?.int64 ?? last
                        let text = format == .text ? AuditFormat.line(record) : record.serialized()
                        try file.write(format == .json ? (written == 0 ? "\n" : ",\n") + text : text + "\n")
                        written += 1
                    }
                    progress.show([
                        "work": ["what": "export", "done": .integer(min(last, end)), "total": .integer(end)]
                    ])
                    // What is recorded meanwhile is the next export's.
                    return last < end
                }
                if format == .json { try file.write("\n]\n") }
                try file.finish()
                StandardError.tell("\(written) records")
            }
        }
    }
}

/// Where an export goes.
private final class AuditFile {
    private let descriptor: Int32
    private let path: String
    private var waiting: [UInt8] = []

    /// Opens the file; nil and `-` are standard output.
    init(_ path: String?) throws {
        guard let path, path != "-" else {
            (descriptor, self.path) = (STDOUT_FILENO, "standard output")
            return
        }
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw FileError(path: path, operation: "written", errno: errno) }
    }

    func write(_ text: String) throws {
        waiting += text.utf8
        if waiting.count >= 1 << 16 { try flush() }
    }

    func finish() throws {
        try flush()
        if descriptor != STDOUT_FILENO, fsync(descriptor) != 0 {
            throw FileError(path: path, operation: "written", errno: errno)
        }
    }

    private func flush() throws {
        try FileBytes.write(waiting, to: descriptor, path: path)
        waiting = []
    }

    deinit { if descriptor != STDOUT_FILENO { close(descriptor) } }
}

/// The pages of a list of records, one request each.
struct AuditPages {
    let query: [(name: String, value: String?)]
    let command: String
    let door: DoorOptions

    private static let size = 10_000

    init(query: [(name: String, value: String?)], of command: String, door: DoorOptions) {
        (self.query, self.command, self.door) = (query, command, door)
    }

    /// Gives the records of each page, until there are no more or `body` wants none.
    ///
    /// - Parameter limit: how many are wanted at most.
    func forEach(upTo limit: Int = .max, _ body: ([JSONValue]) throws -> Bool) throws {
        var cursor: String?
        repeat {
            let paging = [("limit", Optional("\(min(limit, Self.size))")), ("cursor", cursor)]
            let request = RouteRequest(.get, "/api/audit", query: query + paging)
            let page = try door.answer(request, of: command, needing: .tables).json()
            cursor = page["nextCursor"]?.stringValue
            guard try body(page["records"]?.arrayValue ?? []) else { return }
        } while cursor != nil
    }
}

/// How records are printed.
enum AuditFormat: String, ExpressibleByArgument, CaseIterable {
    /// A line each, for people.
    case text
    /// One JSON array.
    case json
    /// A JSON object a line.
    case jsonl

    /// Records in this format.
    func text(of records: [JSONValue]) -> String {
        switch self {
        case .text: records.map(Self.line).joined(separator: "\n")
        case .json: JSONValue.array(records).serialized(pretty: true)
        case .jsonl: records.map { $0.serialized() }.joined(separator: "\n")
        }
    }

    /// A record in one line.
    static func line(_ record: JSONValue) -> String {
        func text(_ name: String) -> String? { record[name]?.stringValue }
        let target = (record["target"]?.objectValue?.members ?? []).map { "\($0.key) \($0.value.stringValue ?? "")" }
        let who = record["principal"]
        var parts = [
            "\(record["sequence"]?.numberValue?.int64 ?? 0)", text("time") ?? "", text("outcome") ?? "",
            text("action") ?? "", target.joined(separator: ", "),
        ]
        if let environment = text("environment") { parts.append("in \(environment)") }
        let names = [who?["kind"]?.stringValue, who?["id"]?.stringValue, who?["name"]?.stringValue.map { "(\($0))" }]
        parts.append("by \(names.compactMap(\.self).joined(separator: " "))")
        if let other = text("onBehalfOf") { parts.append("on behalf of \(other)") }
        if let address = text("address") { parts.append("from \(address)") }
        if let count = record["count"]?.numberValue?.int64 { parts.append("\(count) times") }
        if let reason = text("reason") { parts.append("because: \(reason)") }
        // What somebody else wrote is not to write on the terminal as it likes.
        return parts.filter { !$0.isEmpty }.joined(separator: "  ").map { $0.isNewline || $0.isASCIIControl ? " " : $0 }
            .map(String.init).joined()
    }
}

extension Character {
    fileprivate var isASCIIControl: Bool { unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } }
}

/// Which records are meant.
struct AuditFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who did it: a user's name, a key's selector, an access key.", valueName: "name"))
    var actor: String?

    @Option(
        help: ArgumentHelp("What was done: flag.update, or flag for all that was done to flags.", valueName: "action"))
    var action: String?

    @Option(help: ArgumentHelp("To which flag.", valueName: "key"))
    var flag: String?

    @Option(help: ArgumentHelp("For which tenant.", valueName: "tenant"))
    var tenant: String?

    @Option(help: ArgumentHelp("Where: development, staging or production.", valueName: "environment"))
    var environment: String?

    @Option(help: ArgumentHelp("How it ended: done, refused or failed.", valueName: "outcome"))
    var outcome: String?

    @Option(help: ArgumentHelp("Not before this time (RFC 3339).", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Before this time (RFC 3339).", valueName: "time"))
    var until: String?

    /// What the routes take.
    var query: [(name: String, value: String?)] {
        [
            ("actor", actor), ("action", action), ("flag", flag), ("tenant", tenant), ("environment", environment),
            ("outcome", outcome), ("since", since), ("until", until),
        ]
    }
}
