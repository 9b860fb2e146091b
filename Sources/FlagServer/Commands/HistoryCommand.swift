import Administration
import ArgumentParser
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server history`
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell what happened to a flag, a segment or an override, what it said then, and what changed since.",
        discussion: """
            Alone it lists the entries, the latest first: when, which version, what, by whom and why, and below each \
            what changed. A version is its number, or @ and the number of an entry where several had one number.

            Examples:
              flag-server history new-checkout
              flag-server history new-checkout --version 3
              flag-server history new-checkout --diff 3..5
              flag-server history beta-testers --segment --diff 2
            """)

    @OptionGroup var subject: HistorySubjectOptions

    @Option(help: ArgumentHelp("Show what it said in this version.", valueName: "version"))
    var version: String?

    @Option(
        help: ArgumentHelp("Show how two versions differ; with one alone how it differs from now.", valueName: "A..B"))
    var diff: String?

    @Option(help: ArgumentHelp("How many entries are listed.", valueName: "count"))
    var limit = 100

    @Option(help: ArgumentHelp("How it is printed; jsonl is a line for each entry.", valueName: "text|json|jsonl"))
    var format = Format.text

    @OptionGroup var door: DoorOptions

    /// How something is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, jsonl
    }

    func validate() throws {
        if version != nil, diff != nil { throw ValidationError("--version excludes --diff.") }
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000.") }
        for name in ([version] + versions).compactMap({ $0 }) where VersionName(name) == nil {
            throw ValidationError("\"\(name)\" is not \(VersionName.expectation).")
        }
    }

    /// The two versions of `--diff`.
    private var versions: [String?] {
        guard let diff else { return [] }
        guard let dots = diff.firstRange(of: "..") else { return [diff] }
        return [String(diff[..<dots.lowerBound]), String(diff[dots.upperBound...])]
    }

    func run() throws {
        try CommandEnd.reporting {
            let environment = subject.place.chosen()?.rawValue
            if let version {
                let path = "\(subject.path)/history/\(PercentEncoding.encodedSegment(version))"
                try show(RouteRequest(.get, path, query: [("environment", environment)])) { version in
                    (version["content"] ?? .null).serialized(pretty: true)
                }
            } else if diff != nil {
                let query = [("from", versions[0]), ("to", versions.count > 1 ? versions[1] : nil)]
                try show(RouteRequest(.get, "\(subject.path)/diff", query: query + [("environment", environment)])) {
                    ($0["words"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: "\n")
                }
            } else {
                let query: [(String, String?)] = [("limit", "\(limit)"), ("environment", environment)]
                try list(RouteRequest(.get, "\(subject.path)/history", query: query))
            }
        }
    }

    private func show(_ request: RouteRequest, _ text: (JSONValue) -> String) throws {
        let response = try door.answer(request, of: "history", needing: .flags).json()
        switch format {
        case .text:
            let text = text(response)
            if !text.isEmpty { print(text) }
        case .json: print(response.serialized(pretty: true))
        case .jsonl: print(response.serialized())
        }
    }

    private func list(_ request: RouteRequest) throws {
        let response = try door.answer(request, of: "history", needing: .flags).json()
        let entries = response["history"]?.arrayValue ?? []
        switch format {
        case .text: for entry in entries { print(HistoryEntryText(entry).lines.joined(separator: "\n")) }
        case .json: print(JSONValue.array(entries).serialized(pretty: true))
        case .jsonl: for entry in entries { print(entry.serialized()) }
        }
        if response["nextCursor"]?.stringValue != nil { StandardError.tell("there is more: --limit") }
    }
}

/// An entry of a history for people.
private struct HistoryEntryText {
    /// What happened, and below it what changed.
    let lines: [String]

    private static let valueCharacters = 60

    init(_ entry: JSONValue) {
        func text(_ name: String) -> String? { entry[name]?.stringValue }
        let version =
            entry["version"]?.numberValue?.int64.map { "version \($0)" }
            ?? entry["entry"]?.numberValue?.int64.map { "@\($0)" } ?? ""
        let whose = text("tenantId").map { " for \($0)" } ?? ""
        let who = text("by").map { "by \($0)" } ?? ""
        let why = text("reason").map { ": \($0)" } ?? ""
        let what = (text("change") ?? "").split(separator: "_").joined(separator: " ")
        var lines = ["\(text("at") ?? "")  \(version)  \(what)\(whose)  \(who)\(why)"]
        for change in entry["changes"]?.arrayValue ?? [] {
            let pointer = change["pointer"]?.stringValue ?? ""
            // What is new or gone as a whole is shown by its version.
            guard !pointer.isEmpty else { continue }
            lines.append("    \(pointer)  \(Self.value("before", of: change)) → \(Self.value("after", of: change))")
        }
        for issue in entry["issues"]?.arrayValue ?? [] {
            lines.append("    \(issue["pointer"]?.stringValue ?? "")  \(issue["detail"]?.stringValue ?? "")")
        }
        for kind in ["overrides", "keys"] {
            for (name, counted) in entry[kind]?.objectValue?.members ?? [] {
                lines.append("    \(counted["count"]?.numberValue?.int64 ?? 0) \(kind) \(name)")
            }
        }
        self.lines = lines
    }

    private static func value(_ name: String, of change: JSONValue) -> String {
        if let bytes = change["\(name)Bytes"]?.numberValue?.int64 { return "\(bytes) bytes" }
        guard let value = change[name] else { return "none" }
        let text = value.stringValue ?? value.serialized()
        return text.count > valueCharacters ? text.prefix(valueCharacters - 1) + "…" : text
    }
}

/// Whose history a command is about.
struct HistorySubjectOptions: ParsableArguments {
    @Argument(help: "The flag's key, or with --segment the segment's name.")
    var key: String

    @Flag(help: "It is a segment.")
    var segment = false

    @Option(help: ArgumentHelp("It is the override of the flag for this tenant.", valueName: "tenant"))
    var tenant: String?

    @OptionGroup var place: EnvironmentOptions

    func validate() throws {
        if segment, tenant != nil { throw ValidationError("--segment excludes --tenant.") }
    }

    /// What it is, for people.
    var name: String {
        if segment { return "segment \(key)" }
        return tenant.map { "override of \(key) for \($0)" } ?? "flag \(key)"
    }

    /// Its path in the interface.
    var path: String {
        let name = PercentEncoding.encodedSegment(key)
        if segment { return "/api/segments/\(name)" }
        return tenant.map { "/api/tenants/\(PercentEncoding.encodedSegment($0))/flags/\(name)" } ?? "/api/flags/\(name)"
    }
}
