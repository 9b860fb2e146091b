/// What the evaluations of one request share: the instant, and how much they may take together.
package struct EvaluationRun {
    /// The instant of all of them.
    package let now: Timestamp
    /// How many steps are left to them.
    private(set) var remainingSteps: Int

    /// The evaluations of one request.
    package init(now: Timestamp) { self.init(now: now, steps: RuleLimits.standard.requestSteps) }

    /// The same with a budget of its own.
    init(now: Timestamp, steps: Int) {
        self.now = now
        remainingSteps = steps
    }

    /// How many steps the next rule may take.
    var allowedSteps: Int { min(RuleLimits.standard.steps, remainingSteps) }

    /// Takes off what a rule took.
    mutating func spend(_ steps: Int) { remainingSteps -= min(steps, remainingSteps) }
}
