/// How large a targeting rule may be, and how much evaluating it may take.
struct RuleLimits: Sendable {
    /// How many arrays and objects of a definition may be nested. Bounds the recursion of compiler and evaluator.
    var depth = 64
    /// How many operations, arguments and constants a rule may have.
    var nodes = 20_000
    /// How many steps one evaluation may take: an operation and an element looked at are one each, and what the bytes
    /// of a value cost is said by `Work`.
    var steps = 50_000
    /// How many steps the evaluations of one request may take together: a bulk answer evaluates every flag.
    var requestSteps = 2_000_000
    /// How many bytes of computed text and lists one evaluation may make.
    var scratchBytes = 256 * 1024

    /// How deep a value may be nested that is compared, hashed or written: lists that a rule computes can be as deep
    /// as it has steps. Bounds the recursion of all walks over values.
    var valueDepth = 256

    /// The limits that are in force.
    static let standard = RuleLimits()
}

/// What is done with the bytes of a value, by what it costs: each kind says how many bytes make one step.
///
/// Measured against a step of an operator, some 5 to 20 ns: `./scripts/bench evaluation` runs each operator at its
/// worst for as long as a request may, which is to stay below 50 ms.
enum Work {
    /// Comparing, copying and searching: whole words at a time.
    static let comparedBytesPerStep = 64
    /// Hashing, splitting and reading versions: byte by byte.
    static let scannedBytesPerStep = 8
    /// Turning digits into a number: rounding correctly takes exact arithmetic. Up to 20 digits are free.
    static let convertedBytesPerStep = 2

    /// The steps that it takes to turn so many bytes into a number.
    @inline(__always)
    static func steps(converting count: Int) -> Int { count <= 20 ? 0 : count / convertedBytesPerStep }
}
