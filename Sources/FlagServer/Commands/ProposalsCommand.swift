import Administration
import ArgumentParser
import ChangeControl
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server proposals`
struct ProposalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proposals",
        abstract: "Look at changes that wait for others to agree to them, and decide on them.",
        discussion: """
            Where changes need approval, one becomes a proposal. Whoever may make the change may approve or reject it, \
            except its author. With the last approval that is needed it is made, in its author's name.

            Examples:
              flag-server proposals list --environment production
              flag-server proposals show ID
              flag-server proposals approve ID
              flag-server proposals reject ID --reason "not before the audit"
            """,
        subcommands: [
            List.self, Show.self, Approve.self, Reject.self, Comment.self, Withdraw.self, Rebase.self,
        ])

    /// `flag-server proposals list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the proposals of an environment, the newest first.",
            discussion: "Each line: identifier, state, approvals of those needed, what is to be done, by whom, why.")

        @Option(
            help: ArgumentHelp(
                "Which ones: open, applying, applied, rejected, withdrawn, expired, refused, or all.",
                valueName: "state"))
        var state = "open"

        @Option(help: ArgumentHelp("Only those of this flag.", valueName: "flag"))
        var flag: String?

        @Option(help: ArgumentHelp("How many at most.", valueName: "number"))
        var limit: Int?

        @OptionGroup var environment: EnvironmentOptions
        @OptionGroup var place: PlaceOptions

        func validate() throws {
            guard state == "all" || Proposal.State(rawValue: state) != nil else {
                let names = Proposal.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--state must be \(names) or all, not \"\(state)\".")
            }
        }

        func run() throws {
            let request = RouteRequest(
                .get, "/api/proposals",
                query: [
                    ("environment", environment.chosen()?.rawValue), ("state", state == "all" ? nil : state),
                    ("flag", flag), ("limit", limit.map { "\($0)" }),
                ])
            try place.print(request, of: "proposals list", needing: .flags, member: "proposals") { proposals in
                (proposals.arrayValue ?? []).map(ProposalsCommand.line).joined(separator: "\n")
            }
        }
    }

    /// `flag-server proposals show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show all of a proposal: what would differ, what was said, and what was changed since.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.get, ProposalsCommand.path(id))
            try place.print(request, of: "proposals show", needing: .flags, ProposalsCommand.whole)
        }
    }

    /// `flag-server proposals approve`
    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Agree to a change; with the last approval that is needed it is made.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.post, "\(ProposalsCommand.path(id))/approve").because(why)
            try place.print(request, of: "proposals approve", needing: .flags, ProposalsCommand.line)
        }
    }

    /// `flag-server proposals reject`
    struct Reject: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reject", abstract: "Say that a change is not to be made.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.post, "\(ProposalsCommand.path(id))/reject").because(why)
            try place.print(request, of: "proposals reject", needing: .flags, ProposalsCommand.line)
        }
    }

    /// `flag-server proposals comment`
    struct Comment: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "comment", abstract: "Say something of a proposal.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @Argument(help: "What there is to say.")
        var text: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let body: JSONValue = ["text": .string(text)]
            let request = RouteRequest(
                .post, "\(ProposalsCommand.path(id))/comments", body: body.serializedBytes())
            try place.print(request, of: "proposals comment", needing: .flags, ProposalsCommand.whole)
        }
    }

    /// `flag-server proposals withdraw`
    struct Withdraw: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "withdraw",
            abstract: "Take a proposal back: its author does, or whoever administers.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @OptionGroup var why: ReasonOptions
        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.delete, ProposalsCommand.path(id)).because(why)
            try place.print(request, of: "proposals withdraw", needing: .flags, ProposalsCommand.line)
        }
    }

    /// `flag-server proposals rebase`
    struct Rebase: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebase",
            abstract: "Make a proposal anew for what there is now, where that was changed: its author does.")

        @Argument(help: "The proposal's identifier.")
        var id: String

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.post, "\(ProposalsCommand.path(id))/rebase")
            try place.print(request, of: "proposals rebase", needing: .flags, ProposalsCommand.whole)
        }
    }

    private static func path(_ id: String) -> String { "/api/proposals/\(PercentEncoding.encodedSegment(id))" }
}

// MARK: - As text

extension ProposalsCommand {
    /// A proposal in one line.
    private static func line(_ proposal: JSONValue) -> String {
        func text(_ name: String) -> String? { proposal[name]?.stringValue }
        let approvals = proposal["approvals"]?.arrayValue?.count ?? 0
        let needed = proposal["approvalsNeeded"]?.numberValue?.int64 ?? 0
        var parts = [
            text("id") ?? "", text("state") ?? "", "\(approvals) of \(needed)",
            "\(text("kind") ?? "") \(text("flagKey") ?? text("segment") ?? "")",
        ]
        if let tenant = text("tenantId") { parts.append("tenant \(tenant)") }
        parts.append("in \(text("environment") ?? "")")
        parts.append("by \(text("author") ?? "")")
        if let reason = text("reason") { parts.append(reason) }
        if text("state") == "open", let end = text("expiresAt") { parts.append("until \(end)") }
        if let by = text("endedBy") { parts.append("\(text("state") ?? "") by \(by)") }
        if let detail = text("detail") { parts.append(detail) }
        return parts.joined(separator: "  ")
    }

    /// All of a proposal.
    private static func whole(_ proposal: JSONValue) -> String {
        var lines = [line(proposal)]
        lines += changes(proposal["difference"])
        // Of keys that are listed nothing differs in the segment itself.
        if proposal["difference"] == [], let body = proposal["operation"]?["body"] {
            lines.append("  \(body.serialized())")
        }
        for approval in proposal["approvals"]?.arrayValue ?? [] {
            lines.append("approved by \(approval["by"]?.stringValue ?? "") at \(approval["at"]?.stringValue ?? "")")
        }
        for comment in proposal["comments"]?.arrayValue ?? [] {
            lines.append("\(comment["by"]?.stringValue ?? ""): \(comment["text"]?.stringValue ?? "")")
        }
        if let changed = proposal["changedMeanwhile"] {
            lines.append("changed since it was made, so that it cannot be approved until its author rebases it:")
            lines += changes(changed)
        }
        return lines.joined(separator: "\n")
    }

    private static func changes(_ patch: JSONValue?) -> [String] {
        (patch?.arrayValue ?? []).map { change in
            let place = change["path"]?.stringValue ?? ""
            let value = change["value"].map { " \($0.serialized())" } ?? ""
            return "  \(change["op"]?.stringValue ?? "") \(place.isEmpty ? "all" : place)\(value)"
        }
    }
}
