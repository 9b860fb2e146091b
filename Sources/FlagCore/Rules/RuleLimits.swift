/// How large a targeting rule may be, and how much evaluating it may take.
struct RuleLimits: Sendable {
    /// How many arrays and objects of a definition may be nested. Bounds the recursion of compiler and evaluator.
    var depth = 64
    /// How many operations, arguments and constants a rule may have.
    var nodes = 20_000
    /// How many steps one evaluation may take: an operation, an element, 64 bytes of text looked at are one each.
    var steps = 50_000
    /// How many steps the evaluations of one request may take together: a bulk answer evaluates every flag.
    var requestSteps = 2_000_000
    /// How many bytes of computed text and lists one evaluation may make.
    var scratchBytes = 256 * 1024

    /// The limits that are in force.
    static let standard = RuleLimits()
}
