import DynamoModel
import FlagCore
import FlagStore

/// A change that others are asked to agree to: a value. Each step makes the next revision of it.
package struct Proposal: Sendable {
    /// What has become of it.
    package enum State: String, Sendable, CaseIterable {
        /// It waits for others.
        case open
        /// Enough have agreed, and it is being made: it takes several transactions, and goes on after a stop.
        case applying
        /// It was made.
        case applied
        /// Somebody else does not want it.
        case rejected
        /// It was taken back.
        case withdrawn
        /// Nobody has decided in time.
        case expired
        /// Enough had agreed, it was begun, and could not be finished after a stop: `end` says why.
        case refused

        /// Whether nothing comes of it any more.
        package var isEnded: Bool { self != .open && self != .applying }
    }

    /// Something that somebody did with it.
    package struct Act: Sendable, Equatable {
        /// Who.
        package let by: Principal
        /// When.
        package let at: Timestamp
    }

    /// What somebody has to say of it.
    package struct Comment: Sendable, Equatable {
        package let act: Act
        package let text: String
    }

    /// How it ended.
    package struct End: Sendable, Equatable {
        /// When.
        package let at: Timestamp
        /// By whom; nil where nobody did anything.
        package let by: Principal?
        /// Why, for people.
        package let detail: String?
    }

    /// For how long others may decide.
    static let lifetimeMilliseconds: Int64 = 7 * 86_400_000
    /// How many comments one may have.
    static let commentsMaximum = 50
    /// What a comment may be.
    static let commentRule = TextRule.reason

    /// Its name.
    package let id: String
    /// What kind of change it is.
    package let kind: FlagOperation.Kind
    /// What it is about.
    package let subject: StoredThing
    /// Where.
    package let environment: Environment
    /// Who wants it, and in what circumstances they asked for it.
    package let author: Principal
    /// When they asked for it.
    package let proposedAt: Timestamp
    /// When it is too late to decide.
    package private(set) var expiresAt: Timestamp
    /// The version that it was made for; nil where there was nothing, or nothing that has versions.
    package private(set) var version: Int64?
    /// What has become of it.
    package private(set) var state = State.open
    /// Who has agreed to it as it is.
    package private(set) var approvals: [Act] = []
    /// What was said.
    package private(set) var comments: [Comment] = []
    /// How it ended; nil while it has not.
    package private(set) var end: End?
    /// 1 when it was made, one more with every step.
    package private(set) var revision: Int64 = 1

    /// A change that is proposed.
    ///
    /// - Parameter version: the version that it is made for.
    init(_ change: PlannedChange, id: String, version: Int64?) {
        self.init(
            id: id, kind: change.operation.kind, subject: change.operation.subject, environment: change.environment,
            author: change.author, proposedAt: change.plannedAt, expiresAt: Self.expiry(from: change.plannedAt),
            version: version)
    }

    init(
        id: String, kind: FlagOperation.Kind, subject: StoredThing, environment: Environment, author: Principal,
        proposedAt: Timestamp, expiresAt: Timestamp, version: Int64?
    ) {
        self.id = id
        self.kind = kind
        self.subject = subject
        self.environment = environment
        self.author = author
        self.proposedAt = proposedAt
        self.expiresAt = expiresAt
        self.version = version
    }

    private static func expiry(from now: Timestamp) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + lifetimeMilliseconds)
    }

    /// What it is, for people: `patchFlag of the flag checkout in production`.
    package var summary: String { "\(kind.rawValue) of the \(subject) in \(environment.rawValue)" }

    /// Why, as its author said.
    package var reason: String? { author.circumstances?.reason }

    /// What it is at an instant: one that nobody has decided in time has ended, whether or not that was noted.
    package func state(at now: Timestamp) -> State {
        state == .open && now >= expiresAt ? .expired : state
    }

    /// The tag of this revision: it is raised with every step, and no name is given twice.
    package var entityTag: String { "\"\(id)-\(revision)\"" }
}

// MARK: - Steps

extension Proposal {
    private func next(_ change: (inout Proposal) -> Void) -> Proposal {
        var next = self
        next.revision += 1
        change(&next)
        return next
    }

    /// The same, with one more who agrees.
    func approved(by principal: Principal, at now: Timestamp) -> Proposal {
        next { $0.approvals.append(Act(by: principal, at: now)) }
    }

    /// The same, with a comment.
    func commented(_ text: String, by principal: Principal, at now: Timestamp) -> Proposal {
        next { $0.comments.append(Comment(act: Act(by: principal, at: now), text: text)) }
    }

    /// The same, made for what there is now: whoever agreed did not agree to that.
    func renewed(for version: Int64?, at now: Timestamp) -> Proposal {
        next {
            $0.version = version
            $0.approvals = []
            $0.expiresAt = Self.expiry(from: now)
        }
    }

    /// The same, begun.
    func begun() -> Proposal { next { $0.state = .applying } }

    /// The same, open again: it was begun, and nothing was done.
    func reopened() -> Proposal { next { $0.state = .open } }

    /// The same, ended.
    ///
    /// - Parameters:
    ///   - state: how.
    ///   - principal: by whom.
    ///   - detail: why.
    func ended(
        _ state: State, at now: Timestamp, by principal: Principal? = nil, because detail: String? = nil
    ) -> Proposal {
        next {
            $0.state = state
            $0.end = End(at: now, by: principal, detail: detail)
        }
    }

    /// As it was stored.
    func restored(
        _ state: State, revision: Int64, approvals: [Act], comments: [Comment], end: End?
    ) -> Proposal {
        var stored = self
        stored.state = state
        stored.revision = revision
        stored.approvals = approvals
        stored.comments = comments
        stored.end = end
        return stored
    }
}
