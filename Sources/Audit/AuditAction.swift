/// What was done, as the audit log names it: a subject, a dot, and a verb.
///
/// The subject alone names all of its actions where records are looked for.
package struct AuditAction: Sendable, Hashable, CustomStringConvertible {
    /// The name: `flag.update`.
    package let name: String

    /// The action of a name.
    package init(_ name: String) { self.name = name }

    /// The action of a subject and a verb.
    package init(_ subject: String, _ verb: String) { name = "\(subject).\(verb)" }

    /// What it is done to: the name up to its first dot.
    package var subject: String { String(name.prefix { $0 != "." }) }

    package var description: String { name }
}

extension AuditAction {
    /// The log begins, in a store that had none.
    package static let begin = AuditAction("audit.begin")
    /// Changes could not be followed: which.
    package static let gap = AuditAction("audit.gap")
    /// Records are sealed with another key from here on.
    package static let keyChange = AuditAction("audit.key-change")
    /// Records were removed since they are older than they are kept.
    package static let expire = AuditAction("audit.expire")
    /// Records were lost before they were stored: how many.
    package static let loss = AuditAction("audit.loss")

    /// The server has started.
    package static let start = AuditAction("server.start")
    /// The server was asked to stop.
    package static let stop = AuditAction("server.stop")
    /// The server runs with other settings than the last time: which.
    package static let configure = AuditAction("server.configure")
    /// The server's certificate was read again.
    package static let reload = AuditAction("server.reload")

    /// Somebody proved who they are, or could not.
    package static let signIn = AuditAction("access.sign-in")
    /// Somebody was refused for lack of rights.
    package static let refuse = AuditAction("access.refuse")
    /// Somebody looked at what is kept of secrets, users, or at this log.
    package static let read = AuditAction("access.read")
}

/// How it ended.
package enum AuditOutcome: String, Sendable, CaseIterable {
    /// It was done.
    case done
    /// Whoever asked may not do it.
    case refused
    /// It went wrong.
    case failed
}
