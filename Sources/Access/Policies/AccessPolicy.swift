import DynamoModel

/// What an access key may do to tables: an IAM policy document, as far as it is about DynamoDB.
///
/// Source: "IAM JSON policy elements reference" and "Policy evaluation logic" of the IAM user guide. A statement with a
/// condition on what requests are about lets nothing pass of which that cannot be told, where IAM takes a condition
/// `ForAllValues` to hold for requests that name nothing.
package struct AccessPolicy: Sendable, Equatable {
    /// What comes of asking.
    package enum Verdict: Sendable, Equatable {
        case allowed
        /// No statement allows it.
        case notAllowed
        /// A statement forbids it.
        case denied
    }

    let statements: [Statement]

    /// Whether some statement asks for partition keys.
    package var asksForLeadingKeys: Bool { asks(for: .leadingKeys) }
    /// Whether some statement asks for attributes.
    package var asksForAttributes: Bool { asks(for: .attributes) }

    private func asks(for subject: PolicyCondition.Subject) -> Bool {
        statements.contains { $0.conditions.contains { $0.subject == subject } }
    }

    /// Whether something may be done. What is forbidden is, whatever else allows it.
    package func verdict(on access: RequestedAccess) -> Verdict {
        let matching = statements.filter { $0.matches(access) }
        if matching.contains(where: { $0.effect == .deny }) { return .denied }
        return matching.isEmpty ? .notAllowed : .allowed
    }

    /// Something that is allowed or forbidden.
    struct Statement: Sendable, Equatable {
        enum Effect: String, Sendable {
            case allow = "Allow"
            case deny = "Deny"
        }

        let effect: Effect
        let actions: Names<WildcardPattern>
        let resources: Names<ResourcePattern>
        let conditions: [PolicyCondition]

        func matches(_ access: RequestedAccess) -> Bool {
            actions.contain { $0.matches("\(AccessPolicy.service):\(access.action)") }
                && resources.contain { $0.matches(access.resource) }
                && conditions.allSatisfy { $0.holds(for: access, in: effect) }
        }
    }

    /// What a statement is about: what is of one of the patterns, or what is of none.
    struct Names<Pattern: Sendable & Equatable>: Sendable, Equatable {
        let patterns: [Pattern]
        let isNegated: Bool

        func contain(_ matches: (Pattern) -> Bool) -> Bool { patterns.contains(where: matches) != isNegated }
    }

    /// What actions of DynamoDB begin with.
    static let service = "dynamodb"
}

/// A condition of a statement on what a request is about.
struct PolicyCondition: Sendable, Equatable {
    /// What it looks at.
    enum Subject: String, Sendable, CaseIterable {
        case leadingKeys = "dynamodb:LeadingKeys"
        case attributes = "dynamodb:Attributes"
    }

    let subject: Subject
    /// Whether it was said `ForAllValues`.
    let isForAllValues: Bool
    /// The values that it holds for.
    let patterns: [Pattern]

    enum Pattern: Sendable, Equatable {
        case exactly(String)
        case like(WildcardPattern)

        func matches(_ value: String) -> Bool {
            switch self {
            // By code points, as keys are.
            case .exactly(let text): text.utf8.elementsEqual(value.utf8)
            case .like(let pattern): pattern.matches(value)
            }
        }
    }

    /// Whether it holds for a request; where that cannot be told, it does in what forbids, and does not in what allows.
    func holds(for access: RequestedAccess, in effect: AccessPolicy.Statement.Effect) -> Bool {
        let names = subject == .leadingKeys ? access.leadingKeys : access.attributes
        switch names {
        case .any: return effect == .deny
        case .none: return effect == .deny && isForAllValues
        case .these(let values):
            let isOne: (String) -> Bool = { value in patterns.contains { $0.matches(value) } }
            if effect == .deny, !isForAllValues { return values.contains(where: isOne) }
            return values.allSatisfy(isOne)
        }
    }
}
