import Access
import FlagCore
import FlagStore
import HTTPRouting

extension Problem {
    /// What the flag store says, for whoever asked.
    ///
    /// - Parameters:
    ///   - error: what happened.
    ///   - environment: where it was looked for.
    init(_ error: FlagStoreError, in environment: Environment) {
        switch error {
        case .notFound(let thing):
            self.init(thing.absence, "there is no \(thing) in \(environment.rawValue)")
        case .noFlagToKill(let flagKey):
            self.init(
                .flagNotFound,
                "there is no flag \(flagKey) in \(environment.rawValue), and nothing was switched: is that its key, "
                    + #"and its environment? With "force": true it is killed before there is such a flag"#)
        case .alreadyExists(let flagKey):
            self.init(
                .flagExists,
                "the flag \(flagKey) exists in \(environment.rawValue) already; PUT or PATCH of its own path changes it"
            )
        case .segmentExists(let name):
            self.init(
                .segmentExists,
                "the segment \(name) exists in \(environment.rawValue) already; PUT or PATCH of its own path changes it"
            )
        case .segmentUsed(let name, let uses):
            self.init(
                .segmentUsed, "the segment \(name) is used by \(uses.inWords): change or delete these first")
        case .versionMismatch(.override, _, _): self.init(.versionMismatch, error.description)
        case .versionMismatch(let thing, let expected, let current):
            self.init(
                .versionMismatch,
                "the \(thing) is at version \(current), not \(expected): read it again and repeat the change on "
                    + "what it is now"
            )
        case .invalid(let issues):
            self = .invalidBody(issues)
        case .required(let flagKey, let dependents):
            self.init(
                .flagRequired,
                "the flag \(flagKey) is required by \(dependents.joined(separator: ", ")): change or delete these first"
            )
        case .flagArchived, .flagNotArchived, .nothingToRestore, .nothingToPromote, .versionNotFound, .versionNotKept:
            self.init(ofSecondThought: error, in: environment)
        case .invalidCursor:
            self = .invalidQuery([
                Field(
                    pointer: "?cursor",
                    detail: "is not the nextCursor of a page of this list; begin without a cursor")
            ])
        case .conflict(let name):
            self.init(.conflict, "others keep changing \(name) at the same time; try again")
        case .overtaken: self.init(.conflict, error.description)
        case .stopped: self.init(.workStopped, error.description)
        case .unavailable(let reason, let hint):
            self.init(.storeUnavailable, "\(reason). \(hint)", headerFields: [("Retry-After", "1")])
        }
    }

    /// What the flag store says of versions, of what was put away and of what was deleted.
    private init(ofSecondThought error: FlagStoreError, in environment: Environment) {
        switch error {
        case .flagArchived(let flagKey):
            self.init(
                .flagArchived,
                "the flag \(flagKey) is archived in \(environment.rawValue): POST its path with /unarchive first")
        case .flagNotArchived(let flagKey):
            self.init(.flagNotArchived, "the flag \(flagKey) is not archived in \(environment.rawValue)")
        case .nothingToRestore(let flagKey):
            self.init(
                .flagNotFound,
                "no flag \(flagKey) was deleted in \(environment.rawValue), as far as histories reach back")
        case .nothingToPromote(let flagKey, let source):
            self.init(
                .flagNotFound, "there is no flag \(flagKey) in \(source.rawValue), or it is archived there")
        case .versionNotFound(let thing, let name):
            self.init(
                .versionNotFound,
                "the \(thing) has no version \(name) in \(environment.rawValue); its history has those "
                    + "that there are")
        case .versionNotKept(let thing, let name):
            self.init(
                .versionNotKept,
                "what the \(thing) said in version \(name) is not kept: it is older than what histories keep "
                    + "(history.versions), or was written before they kept it")
        default: self.init(.conflict, error.description)
        }
    }

    /// A caller who may do something, but not here.
    static func forbidden(_ permissions: Permissions, in environment: Environment) -> Problem {
        Problem(.forbidden, "whoever sent this may not \(permissions.inWords) in \(environment.rawValue)")
    }

    /// Another tenant than the one that the caller is bound to.
    static let otherTenant = Problem(.forbidden, "whoever sent this is bound to one tenant, and names another")

    /// Something of all tenants, for a caller who is bound to one.
    static let boundToTenant = Problem(
        .forbidden, "whoever sent this is bound to one tenant, and this is of all tenants")

    /// A body that a checked type refused.
    static func invalidBody(_ issues: [DefinitionIssue]) -> Problem {
        .invalidBody(issues.map { Field(pointer: $0.pointer, detail: $0.message) })
    }

    /// A change with `If-Match` of what has no entity tag that could match.
    static func unmatchable(_ what: String) -> Problem {
        Problem(
            .versionMismatch,
            "what is stored as the \(what) is not valid and has no ETag that If-Match could name: replace it with PUT, "
                + "or delete it, without If-Match")
    }

    /// An item that is stored but is not what it should be: written past this server.
    static func invalidItem(_ what: String, _ issues: [DefinitionIssue]) -> Problem {
        let fields = issues.map { Field(pointer: $0.pointer, detail: $0.message) }
        return Problem(
            .invalidItem, "what is stored as the \(what) is not valid; replace it with PUT or delete it", fields: fields
        )
    }
}

extension StoredThing {
    /// What is said where there is none.
    fileprivate var absence: ProblemCode {
        switch self {
        case .flag: .flagNotFound
        case .segment: .segmentNotFound
        case .override: .overrideNotFound
        case .killSwitch: .killSwitchNotFound
        }
    }
}
