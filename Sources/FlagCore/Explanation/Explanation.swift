import JSON

/// An evaluation with everything that led to it.
package struct Explanation {
    /// The same as `CompiledFlag.evaluate` gives.
    package let evaluation: Evaluation
    /// The steps in the order in which they were asked, up to the one that decided: an array of objects.
    package let trace: JSONValue
}

/// Collects the steps of an explanation.
struct ExplanationSteps {
    private(set) var steps: [JSONValue] = []
    /// When the flag is evaluated.
    let now: Timestamp

    /// No steps yet.
    init(now: Timestamp) { self.now = now }

    /// Adds a step.
    ///
    /// - Parameters:
    ///   - name: which step.
    ///   - decides: whether it decides the answer.
    ///   - detail: what was found, in words.
    ///   - more: what else belongs to it.
    mutating func add(
        _ name: String, decides: Bool, _ detail: String, _ more: [(name: String, value: JSONValue)] = []
    ) {
        var step = JSONObject()
        step["step"] = .string(name)
        step["decides"] = .bool(decides)
        step["detail"] = .string(detail)
        for (name, value) in more { step[name] = value }
        steps.append(.object(step))
    }
}
