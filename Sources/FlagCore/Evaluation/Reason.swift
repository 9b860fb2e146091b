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
    /// A kill switch is on: this one.
    case killSwitch(KillSwitchKind)
    /// The tenant has an override.
    case tenantOverride
    /// A flag that this one requires does not answer the required variant.
    case prerequisiteFailed
    /// The evaluation failed.
    case error

    /// The reason in OpenFeature's words (OFREP 0.3.0, `serverEvaluationSuccess.reason`).
    ///
    /// A value that a kill switch serves must be obeyed. `DISABLED` would not do: released providers take it for "use
    /// your own default" and drop the value, and some know no reasons but OpenFeature's own. So a killed flag is
    /// `STATIC`, as a flag that serves everybody the same, and its metadata names the kill switch.
    ///
    /// - Parameter hasValue: whether the answer has a value.
    package func openFeature(hasValue: Bool) -> StaticString {
        switch self {
        case .static: "STATIC"
        case .default, .prerequisiteFailed: "DEFAULT"
        case .targetingMatch, .tenantOverride: "TARGETING_MATCH"
        case .split: "SPLIT"
        case .killSwitch: hasValue ? "STATIC" : "DISABLED"
        case .disabled: "DISABLED"
        case .error: "ERROR"
        }
    }

    /// The kill switch that decided; nil when none did.
    package var killSwitch: KillSwitchKind? {
        if case .killSwitch(let kind) = self { kind } else { nil }
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

/// Which kill switch takes a flag away.
package enum KillSwitchKind: String, Sendable {
    /// The one of all flags.
    case global
    /// The flag's own.
    case flag
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
