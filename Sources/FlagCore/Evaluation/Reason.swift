/// Why an evaluation answered what it did.
package enum Reason: Sendable, Equatable {
    /// The flag has no targeting: everybody gets the default variant.
    case `static`
    /// Targeting chose nothing: the default variant.
    case `default`
    /// Targeting chose the variant.
    case targetingMatch
    /// A simple rollout put the subject into a bucket.
    case split
    /// The flag's state is `DISABLED`.
    case disabled
    /// A kill switch, global or the flag's, is on.
    case killSwitch
    /// The tenant has an override.
    case tenantOverride
    /// A flag that this one requires does not answer the required variant.
    case prerequisiteFailed
    /// The evaluation failed.
    case error

    /// The reason in OpenFeature's words (OFREP 0.3.0, `serverEvaluationSuccess.reason`).
    package var openFeature: StaticString {
        switch self {
        case .static: "STATIC"
        case .default, .prerequisiteFailed: "DEFAULT"
        case .targetingMatch, .tenantOverride: "TARGETING_MATCH"
        case .split: "SPLIT"
        case .disabled, .killSwitch: "DISABLED"
        case .error: "ERROR"
        }
    }

    /// The reason in the words of `/api/evaluate`.
    package var api: StaticString {
        switch self {
        case .static, .default: "default"
        case .targetingMatch: "targeting"
        case .split: "rollout"
        case .disabled: "disabled"
        case .killSwitch: "kill_switch"
        case .tenantOverride: "tenant_override"
        case .prerequisiteFailed: "prerequisite_failed"
        case .error: "error"
        }
    }
}

/// OpenFeature's codes of failed evaluations (OFREP 0.3.0, `evaluationFailure.errorCode`).
package enum ErrorCode: String, Sendable {
    /// There is no such flag.
    case flagNotFound = "FLAG_NOT_FOUND"
    /// The flag's definition cannot be understood.
    case parseError = "PARSE_ERROR"
    /// The value is of another type than was asked for.
    case typeMismatch = "TYPE_MISMATCH"
    /// The evaluation needs a targeting key and was given none.
    case targetingKeyMissing = "TARGETING_KEY_MISSING"
    /// The context is not what it must be.
    case invalidContext = "INVALID_CONTEXT"
    /// Anything else.
    case general = "GENERAL"
}
