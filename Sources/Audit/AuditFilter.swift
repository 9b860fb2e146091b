import Bytes
import DynamoModel
import FlagCore

/// Which records are looked for: those that satisfy everything that is said.
package struct AuditFilter: Sendable, Equatable {
    /// Who did it: the principal's identifier, with or without its kind before it (`key 7fGh…`, `ann`).
    package var actor: String?
    /// What was done: an action, or the subject of several (`flag.update`, `flag`).
    package var action: String?
    /// The key of a flag.
    package var flag: String?
    /// A tenant.
    package var tenant: String?
    /// Where.
    package var environment: Environment?
    /// How it ended.
    package var outcome: AuditOutcome?
    /// Not before this time.
    package var since: Timestamp?
    /// Before this time.
    package var until: Timestamp?

    /// All records.
    package init() {}

    /// Whether an entry is one that is looked for. O(1).
    package func matches(_ entry: AuditEntry) -> Bool {
        if let since, (entry.until ?? entry.time) < since { return false }
        if let until, entry.time >= until { return false }
        if let environment, entry.environment != environment { return false }
        if let outcome, entry.outcome != outcome { return false }
        if let flag, !(entry.target.flag?.isExactly(flag) ?? false) { return false }
        if let tenant, !(entry.target.tenant?.isExactly(tenant) ?? false) { return false }
        if let action, entry.action.name != action, entry.action.subject != action { return false }
        guard let actor else { return true }
        return AuditTerm.actor(entry.principal).value.isExactly(actor) || "\(entry.principal)".isExactly(actor)
    }

    /// The terms of what is looked for, the one first that the fewest records have.
    package var terms: [AuditTerm] {
        var terms: [AuditTerm] = []
        if let tenant { terms.append(AuditTerm(.tenant, tenant)) }
        if let flag { terms.append(AuditTerm(.flag, flag)) }
        if let actor { terms.append(.actor(named: actor)) }
        if let action { terms.append(AuditTerm(.action, action)) }
        if let outcome { terms.append(AuditTerm(.outcome, outcome.rawValue)) }
        if let environment { terms.append(AuditTerm(.environment, environment.rawValue)) }
        return terms
    }
}

/// One thing that records are found by.
package struct AuditTerm: Sendable, Hashable {
    /// What it is.
    package enum Kind: String, Sendable, CaseIterable {
        case actor, action, flag, tenant, environment, outcome
    }

    /// What it is.
    package let kind: Kind
    /// Which.
    package let value: String

    package static func == (left: AuditTerm, right: AuditTerm) -> Bool {
        left.kind == right.kind && left.value.isExactly(right.value)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        value.withBytes { hasher.combine(bytes: $0) }
    }

    /// A term.
    package init(_ kind: Kind, _ value: String) {
        self.kind = kind
        self.value = value
    }

    /// The term of a principal: its identifier; its kind where it has none.
    package static func actor(_ principal: Principal) -> AuditTerm {
        AuditTerm(.actor, principal.name.isEmpty ? principal.kind.rawValue : principal.name)
    }

    /// The term of a principal by its identifier, or by its description.
    static func actor(named text: String) -> AuditTerm {
        let principal = Principal(description: text)
        // What is no description is read as nobody in particular, who has no other name.
        return principal.kind == .anonymous ? AuditTerm(.actor, text) : actor(principal)
    }
}

extension AuditEntry {
    /// The terms that it is found by.
    package var terms: [AuditTerm] {
        var terms = [
            AuditTerm.actor(principal), AuditTerm(.action, action.name), AuditTerm(.outcome, outcome.rawValue),
        ]
        if action.subject != action.name { terms.append(AuditTerm(.action, action.subject)) }
        if let flag = target.flag { terms.append(AuditTerm(.flag, flag)) }
        if let tenant = target.tenant { terms.append(AuditTerm(.tenant, tenant)) }
        if let environment { terms.append(AuditTerm(.environment, environment.rawValue)) }
        return terms
    }
}
