/// What the evaluations of one request share: the instant, and how much they may take together.
package struct EvaluationRun {
    /// The instant of all of them.
    package let now: Timestamp
    /// How many steps they may take together.
    package static var stepsOfRequest: Int { RuleLimits.standard.requestSteps }

    /// How many steps are left to them.
    package private(set) var remainingSteps: Int
    /// Where required flags and segments are found.
    let surroundings: (any EvaluationSurroundings)?
    /// The subject that was hashed last, for the next flag that buckets by the same.
    var hashedSubject: HashedSubject?
    /// How many flags that require each other are being evaluated.
    var depth = 0
    /// Whether they go too deep: then none of them holds, whatever the defaults of the others are.
    var isTooDeep = false

    /// The evaluations of one request.
    ///
    /// - Parameter surroundings: where required flags and segments are found; without it no prerequisite holds, and
    ///   nobody is in a segment.
    package init(now: Timestamp, surroundings: (any EvaluationSurroundings)? = nil) {
        self.init(now: now, steps: EvaluationRun.stepsOfRequest, surroundings: surroundings)
    }

    /// The same with so many steps, such as those that earlier evaluations of the request have left.
    package init(now: Timestamp, steps: Int, surroundings: (any EvaluationSurroundings)? = nil) {
        self.now = now
        self.surroundings = surroundings
        remainingSteps = steps
    }

    /// How many steps the next rule may take.
    var allowedSteps: Int { min(RuleLimits.standard.steps, remainingSteps) }

    /// Takes off what a rule took.
    mutating func spend(_ steps: Int) { remainingSteps -= min(steps, remainingSteps) }
}
