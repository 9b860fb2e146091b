/// What the evaluations of one request share: the instant, and how much they may take together.
package struct EvaluationRun {
    /// The instant of all of them.
    package let now: Timestamp
    /// How many steps are left to them.
    private(set) var remainingSteps: Int
    /// Where flags that others require are found.
    let flags: (any RequiredFlags)?
    /// How many flags that require each other are being evaluated.
    var depth = 0
    /// Whether they go too deep: then none of them holds, whatever the defaults of the others are.
    var isTooDeep = false

    /// The evaluations of one request.
    ///
    /// - Parameter flags: where flags that others require are found; without it no prerequisite holds.
    package init(now: Timestamp, flags: (any RequiredFlags)? = nil) {
        self.init(now: now, steps: RuleLimits.standard.requestSteps, flags: flags)
    }

    /// The same with a budget of its own.
    init(now: Timestamp, steps: Int, flags: (any RequiredFlags)? = nil) {
        self.now = now
        self.flags = flags
        remainingSteps = steps
    }

    /// How many steps the next rule may take.
    var allowedSteps: Int { min(RuleLimits.standard.steps, remainingSteps) }

    /// Takes off what a rule took.
    mutating func spend(_ steps: Int) { remainingSteps -= min(steps, remainingSteps) }
}
