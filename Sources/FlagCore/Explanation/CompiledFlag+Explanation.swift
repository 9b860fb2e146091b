import JSON

extension CompiledFlag {
    /// Evaluates the flag as `evaluate` does, and says what was asked in which order and what came of it.
    ///
    /// Compiles the rule anew, with every operator traced: for a person who asks, not for every request.
    ///
    /// - Parameters:
    ///   - context: for whom.
    ///   - killSwitch: the kill switch that is on; nil when none is.
    ///   - override: the tenant's override.
    ///   - run: what the evaluations of the request share.
    package func explain(
        _ context: EvaluationContext, killSwitch: KillSwitchKind?, override: TenantOverride?,
        in run: inout EvaluationRun
    ) -> Explanation {
        var steps = ExplanationSteps()
        let evaluation = explain(context, killSwitch, override, &run, &steps)
        return Explanation(evaluation: evaluation, trace: .array(steps.steps))
    }

    private func explain(
        _ context: EvaluationContext, _ killSwitch: KillSwitchKind?, _ override: TenantOverride?,
        _ run: inout EvaluationRun, _ steps: inout ExplanationSteps
    ) -> Evaluation {
        if let killSwitch {
            let whose = killSwitch == .global ? "the kill switch of all flags" : "the flag's kill switch"
            steps.add("kill_switch", decides: true, "\(whose) is on: \(isBoolean ? "false" : "no value") is served")
            return evaluate(context, killSwitch: killSwitch, override: override, in: &run)
        }
        steps.add("kill_switch", decides: false, "no kill switch is on")
        if let failure {
            steps.add("definition", decides: true, failure.details)
            return Evaluation(error: failure)
        }
        steps.add(
            "state", decides: isDisabled, isDisabled ? "DISABLED: the caller's own default applies" : "ENABLED")
        if isDisabled { return Evaluation(variant: nil, reason: .disabled) }
        if let override, let variant = variant(of: override, at: run.now) {
            steps.add("tenant_override", decides: true, "the tenant has one: \(name(of: variant))")
            return Evaluation(variant: variant, reason: .tenantOverride)
        }
        steps.add("tenant_override", decides: false, detail(ofUnused: override, at: run.now))
        var validUntil: Timestamp?
        var evaluation: Evaluation
        if !requirements.isEmpty, let unmet = firstUnmet(context, &run, &validUntil) {
            steps.add("prerequisites", decides: true, detail(of: unmet))
            let variant = explainDefault(.default, &steps).variant
            evaluation = Evaluation(variant: variant, reason: .prerequisiteFailed)
        } else {
            if !requirements.isEmpty {
                let names = requirements.map { "\($0.prerequisite.flagKey) answers \($0.prerequisite.variant)" }
                steps.add("prerequisites", decides: false, "all hold: \(names.joined(separator: ", "))")
            }
            if let rule {
                evaluation = explain(rule, context, &run, &steps)
            } else {
                steps.add("targeting", decides: false, "the flag has none")
                evaluation = explainDefault(.static, &steps)
            }
        }
        if let validUntil { evaluation.validUntil = min(evaluation.validUntil ?? validUntil, validUntil) }
        return evaluation
    }

    private func detail(of unmet: (requirement: Requirement, found: Evaluation?, of: CompiledFlag?)) -> String {
        let wanted = unmet.requirement.prerequisite
        guard let found = unmet.found, let flag = unmet.of else {
            return "the flag \(wanted.flagKey) must answer \(wanted.variant), but there is no such flag, or flags that "
                + "require each other go deeper than \(Prerequisite.depthMaximum)"
        }
        let answer = found.variant.map { flag.variants[$0].name } ?? "no variant"
        return "the flag \(wanted.flagKey) must answer \(wanted.variant), but answers \(answer) (\(found.reason.api))"
    }

    private func explain(
        _ rule: Rule, _ context: EvaluationContext, _ run: inout EvaluationRun, _ steps: inout ExplanationSteps
    ) -> Evaluation {
        let tracer = RuleTracer()
        let traced = Rule(tracing: rule)
        var evaluation = evaluate(traced, context, &run, tracer: tracer)
        let tables = traced.tables
        let printer = RulePrinter(nodes: UnsafePointer(tables.nodes), paths: tables.paths, names: tables.names)
        var more: [(name: String, value: JSONValue)] = [("rule", tracer.json(printer))]
        if tracer.isCut { more.append(("isCut", true)) }
        if rule.readsTimestamp { more.append(("readsClock", true)) }
        let step = isRollout ? "rollout" : "targeting"
        if let error = evaluation.error {
            steps.add(step, decides: true, "failed: \(error.details)", more)
        } else if evaluation.reason == .default {
            steps.add(step, decides: false, isRollout ? "not meant for this context" : "chose nothing", more)
            let validUntil = evaluation.validUntil
            evaluation = explainDefault(.default, &steps)
            evaluation.validUntil = validUntil
        } else {
            steps.add(step, decides: true, "chose \(evaluation.variant.map { name(of: $0) } ?? "nothing")", more)
        }
        return evaluation
    }

    private func explainDefault(_ reason: Reason, _ steps: inout ExplanationSteps) -> Evaluation {
        guard let defaultVariant else {
            steps.add("default", decides: true, "the flag has no default variant: the caller's own default applies")
            return Evaluation(variant: nil, reason: .default)
        }
        steps.add("default", decides: true, "the default variant is \(name(of: defaultVariant))")
        return Evaluation(variant: defaultVariant, reason: reason)
    }

    private func name(of variant: Int) -> String { "\"\(variants[variant].name)\"" }

    private func detail(ofUnused override: TenantOverride?, at now: Timestamp) -> String {
        guard let override else { return "the tenant has none" }
        if let expiry = override.expiresAt, expiry <= now { return "the tenant's ended at \(expiry.rfc3339)" }
        return "the tenant's names a variant that the flag does not have"
    }
}
