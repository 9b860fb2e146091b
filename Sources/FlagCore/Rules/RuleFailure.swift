/// Why a rule could not be evaluated to its end.
enum RuleFailure: Error {
    /// The rule took more steps than allowed.
    case tooManySteps
    /// Computed texts and lists took more memory than allowed.
    case tooMuchMemory
    /// A value that was compared, hashed or written is nested deeper than allowed.
    case valueTooDeep
    /// Segments refer to each other too deeply, or in a circle.
    case segmentsTooDeep
    /// Evaluation reached an operation that could not be understood: the number of its message.
    case notUnderstood(Int)
}
