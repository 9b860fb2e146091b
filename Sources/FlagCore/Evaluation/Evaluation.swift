/// What evaluating one flag for one context gave.
package struct Evaluation: Sendable, Equatable {
    /// Which of the flag's variants; nil: none, the caller's own default applies.
    package var variant: Int?
    /// Why.
    package var reason: Reason
    /// What went wrong; nil on success.
    package var error: EvaluationError?
    /// The first instant at which a rollout may change the answer although nothing else changes; nil: none.
    package var validUntil: Timestamp?

    /// The answer `variant` for `reason`.
    package init(variant: Int?, reason: Reason) {
        self.variant = variant
        self.reason = reason
    }

    /// A failed evaluation.
    package init(error: EvaluationError) {
        reason = .error
        self.error = error
    }
}

/// Why an evaluation failed. Holds nothing of the context.
package struct EvaluationError: Error, Sendable, Equatable {
    /// OpenFeature's code.
    package let code: ErrorCode
    /// Whether `details` say again what came with the context: to whoever sent it, and to nobody else.
    private let quotesContext: Bool
    /// What is wrong, in words for the flag's owner.
    package let details: String

    /// What is wrong, without anything of the context: for logs.
    package var detailsWithoutContext: String {
        quotesContext
            ? "targeting came to something that is no variant of the flag: POST /api/explain shows what" : details
    }

    /// A failure.
    ///
    /// - Parameter quotesContext: whether the details are of targeting that came to no variant, and name what it came
    ///   to.
    package init(code: ErrorCode, details: String, quotesContext: Bool = false) {
        self.code = code
        self.quotesContext = quotesContext
        self.details = details
    }
}

/// What one tenant gets instead of what targeting says.
package struct TenantOverride: Sendable, Equatable {
    /// What the tenant gets.
    package enum Choice: Sendable, Equatable {
        /// The variant with this value, of a boolean flag.
        case enabled(Bool)
        /// The variant of this name.
        case variant(String)
    }

    /// What the tenant gets.
    package var choice: Choice
    /// From this instant on the override is as if it were not there; nil: it stays.
    package var expiresAt: Timestamp?

    /// An override.
    package init(choice: Choice, expiresAt: Timestamp? = nil) {
        self.choice = choice
        self.expiresAt = expiresAt
    }
}
