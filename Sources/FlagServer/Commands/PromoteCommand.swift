import Administration
import ArgumentParser
import FlagCore
import Glibc
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server promote`
struct PromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Have a flag be in one environment what it is in another, with the segments that it names.",
        discussion: """
            Its overrides and kill switches stay where they are. The difference is shown first, and on a terminal it \
            is asked whether to go on. The flags that it requires must be there already.

            Examples:
              flag-server promote new-checkout --from staging --to production --dry-run
              flag-server promote new-checkout --from staging --to production --yes --reason 'tested'
            """)

    @Argument(help: "The flag's key.")
    var key: String

    @Option(help: ArgumentHelp("The environment that it is taken from.", valueName: "environment"))
    var from: String

    @Option(help: ArgumentHelp("The environment that it goes to.", valueName: "environment"))
    var to: String

    @Flag(help: "Show the difference, and change nothing.")
    var dryRun = false

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var why: ReasonOptions
    @OptionGroup var urgency: EmergencyOptions
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        for (name, text) in [("--from", from), ("--to", to)] where Environment(spelling: text) == nil {
            throw ValidationError("\(name) must be \(Environment.spellings), not \"\(text)\".")
        }
        if yes, dryRun { throw ValidationError("--yes excludes --dry-run.") }
    }

    func run() throws {
        try CommandEnd.reporting {
            let planned = try answer(dryRun: true).json()
            let lines = PromotionText(planned).lines
            guard !lines.isEmpty else {
                print(place.format.shown(planned) ?? "nothing differs")
                return
            }
            if dryRun || place.format == .text {
                print(place.format.shown(planned) ?? lines.joined(separator: "\n"))
            }
            guard !dryRun, try isWanted() else { return }
            let done = try answer(dryRun: false)
            if let text = place.format.shown(try done.json()) { return print(text) }
            // Of what only waits for others, nothing has become anything: that it waits was told.
            if done.proposalAdvice == nil { print("the flag \(key) is promoted to \(to)") }
        }
    }

    private func answer(dryRun: Bool) throws -> RouteResponse {
        let path = "/api/flags/\(PercentEncoding.encodedSegment(key))/promote"
        let body: JSONValue = ["from": .string(from), "to": .string(to)]
        let query = [("dryRun", dryRun ? "true" : nil)]
        let request = RouteRequest(.post, path, query: query, body: body.serializedBytes())
            .because(why).inEmergency(urgency)
        return try place.door.answer(request, of: "promote", needing: .flags)
    }

    /// Whether to go on: asked on a terminal, unless that was said already.
    private func isWanted() throws -> Bool {
        if yes { return true }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure("nothing was changed: say --yes where nobody can be asked")
        }
        StandardError.write("Promote \(key) to \(to)? [y/N] ")
        let answer = readLine()?.lowercased() ?? ""
        if ["y", "yes"].contains(answer) { return true }
        StandardError.tell("nothing was changed")
        return false
    }
}

/// A promotion for people: a line for each thing that differs.
private struct PromotionText {
    /// None when nothing differs.
    private(set) var lines: [String] = []

    init(_ report: JSONValue) {
        for segment in report["segments"]?.arrayValue ?? [] {
            tell("segment \(segment["name"]?.stringValue ?? "")", segment)
            for (kind, sign) in [("added", "+"), ("removed", "-")] {
                let count = segment["keys"]?[kind]?["count"]?.numberValue?.int64 ?? 0
                if count > 0 { lines.append("    \(sign) \(count) keys") }
            }
        }
        if let flag = report["flag"] { tell("flag \(report["flagKey"]?.stringValue ?? "")", flag) }
    }

    private mutating func tell(_ name: String, _ change: JSONValue) {
        switch change["change"]?.stringValue {
        case "created": lines.append("+ \(name)")
        case "changed":
            lines.append("~ \(name)")
            lines += (change["words"]?.arrayValue ?? []).compactMap(\.stringValue).map { "    \($0)" }
        default: break
        }
    }
}
