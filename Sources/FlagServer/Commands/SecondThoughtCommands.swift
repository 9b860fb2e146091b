import Administration
import ArgumentParser
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// Why something is changed, whether it is only to be looked at, and who is asked.
struct SecondThoughtOptions: ParsableArguments {
    @OptionGroup var why: ReasonOptions
    @OptionGroup var urgency: EmergencyOptions

    @Flag(help: "Say what it would come to, and change nothing.")
    var dryRun = false

    @OptionGroup var place: PlaceOptions

    /// Has a change made, or looked at.
    ///
    /// - Parameters:
    ///   - path: what it is about and what becomes of it.
    ///   - text: the response for people.
    func change(
        _ path: String, in environment: EnvironmentOptions, _ body: JSONValue? = nil, of command: String,
        _ text: (RouteResponse) throws -> String
    ) throws {
        try CommandEnd.reporting {
            let query = [("environment", environment.chosen()?.rawValue), ("dryRun", dryRun ? "true" : nil)]
            let request = RouteRequest(.post, path, query: query, body: body?.serializedBytes())
                .because(why).inEmergency(urgency)
            let response = try place.door.answer(request, of: command, needing: .flags)
            if let text = place.format.shown(try response.json()) { return print(text) }
            // Of what only waits for others, nothing has become anything: that it waits was told.
            if response.proposalAdvice == nil { print(try text(response)) }
        }
    }

    /// What has become, or would become, of something.
    func told(_ done: String, _ planned: String) -> String { dryRun ? planned : done }
}

/// `flag-server rollback`
struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Have a flag, a segment or an override say again what it said in a version.",
        discussion: """
            It is a change like any other: it makes the next version and is checked. Where the old version names \
            segments or requires flags that are not there any more, it is refused with what is missing. The keys that \
            a segment lists stay. `history` has the versions.

            Examples:
              flag-server rollback new-checkout 3 --reason 'loses baskets'
              flag-server rollback new-checkout @81723 --tenant acme
            """)

    @OptionGroup var subject: HistorySubjectOptions

    @Argument(help: "The number of the version, or @ and that of an entry.")
    var version: String

    @OptionGroup var options: SecondThoughtOptions

    func validate() throws {
        if VersionName(version) == nil { throw ValidationError("\"\(version)\" is not \(VersionName.expectation).") }
    }

    func run() throws {
        let body: JSONValue
        switch VersionName(version) {
        case .entry(let number)?: body = ["entry": .integer(number)]
        case .number(let number)?: body = ["version": .integer(number)]
        case nil: return
        }
        try options.change("\(subject.path)/rollback", in: subject.place, body, of: "rollback") { response in
            let now = try response.json()["version"]?.numberValue?.int64.map { " in version \($0)" } ?? ""
            return options.told(
                "the \(subject.name) says again what it said in version \(version)\(now)",
                "the \(subject.name) would say again what it said in version \(version)\(now)")
        }
    }
}

/// Which flag a command is about.
struct FlagOptions: ParsableArguments {
    @Argument(help: "The flag's key.")
    var key: String

    @OptionGroup var place: EnvironmentOptions

    /// The path of what is done with it.
    func path(_ action: String) -> String { "/api/flags/\(PercentEncoding.encodedSegment(key))/\(action)" }
}

/// `flag-server archive`
struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Put a flag away: no client knows it any more, and `unarchive` takes it out again.",
        discussion: "Its key stays taken, and its overrides and its history stay. Other flags must not require it.")

    @OptionGroup var flag: FlagOptions
    @OptionGroup var options: SecondThoughtOptions

    func run() throws {
        try options.change(flag.path("archive"), in: flag.place, of: "archive") { _ in
            options.told("the flag \(flag.key) is archived", "the flag \(flag.key) would be archived")
        }
    }
}

/// `flag-server unarchive`
struct UnarchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unarchive", abstract: "Take a flag out again that was put away: it is served as it was.")

    @OptionGroup var flag: FlagOptions
    @OptionGroup var options: SecondThoughtOptions

    func run() throws {
        try options.change(flag.path("unarchive"), in: flag.place, of: "unarchive") { _ in
            options.told("the flag \(flag.key) is served again", "the flag \(flag.key) would be served again")
        }
    }
}

/// `flag-server undelete`
struct UndeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undelete",
        abstract: "Bring back a flag that was deleted, as it was then.",
        discussion: """
            It is checked like a new flag: the segments that it names and the flags that it requires must be there. \
            Backups of whole tables are `restore`.

            Example:
              flag-server undelete new-checkout --with-overrides --reason 'deleted by mistake'
            """)

    @OptionGroup var flag: FlagOptions

    @Flag(help: "Bring back the overrides that were deleted with it, but for those that have ended.")
    var withOverrides = false

    @OptionGroup var options: SecondThoughtOptions

    func run() throws {
        let body: JSONValue = ["withOverrides": .bool(withOverrides)]
        try options.change(flag.path("restore"), in: flag.place, body, of: "undelete") { response in
            let version = try response.json()["version"]?.numberValue?.int64 ?? 1
            let overrides = withOverrides ? ", with \(response.field("Restored-Overrides") ?? "0") overrides" : ""
            return options.told(
                "the flag \(flag.key) is back in version \(version)\(overrides)",
                "the flag \(flag.key) would be back in version \(version)\(overrides)")
        }
    }
}
