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
        var steps = ExplanationSteps(now: run.now)
        let evaluation = decide(context, killSwitch, override, &run, &steps)
        return Explanation(evaluation: evaluation, trace: .array(steps.steps))
    }
}

/// Keeps every step, in words.
extension ExplanationSteps: EvaluationRecorder {
    mutating func note(_ finding: @autoclosure () -> EvaluationFinding, of flag: CompiledFlag) {
        switch finding() {
        case .killSwitch(nil): add("kill_switch", decides: false, "no kill switch is on")
        case .killSwitch(let kind?):
            let whose = kind == .global ? "the kill switch of all flags" : "the flag's kill switch"
            add("kill_switch", decides: true, "\(whose) is on: \(flag.isBoolean ? "false" : "no value") is served")
        case .definition(let failure): add("definition", decides: true, failure.details)
        case .state(isDisabled: true): add("state", decides: true, "DISABLED: the caller's own default applies")
        case .state(isDisabled: false): add("state", decides: false, "ENABLED")
        case .override(_, let variant?):
            add("tenant_override", decides: true, "the tenant has one: \(flag.name(of: variant))")
        case .override(let override, nil):
            add("tenant_override", decides: false, flag.detail(ofUnused: override, at: now))
        case .prerequisites(let unmet?): add("prerequisites", decides: true, flag.detail(of: unmet))
        case .prerequisites(nil):
            let names = flag.requirements.map { "\($0.prerequisite.flagKey) answers \($0.prerequisite.variant)" }
            add("prerequisites", decides: false, "all hold: \(names.joined(separator: ", "))")
        case .noTargeting: add("targeting", decides: false, "the flag has none")
        case .default(nil):
            add("default", decides: true, "the flag has no default variant: the caller's own default applies")
        case .default(let variant?): add("default", decides: true, "the default variant is \(flag.name(of: variant))")
        }
    }

    mutating func evaluate(
        _ rule: Rule, of flag: CompiledFlag, _ context: EvaluationContext, _ run: inout EvaluationRun
    ) -> Evaluation {
        let tracer = RuleTracer()
        let traced = Rule(tracing: rule)
        let evaluation = flag.evaluate(traced, context, &run, tracer: tracer)
        let tables = traced.tables
        let printer = RulePrinter(nodes: UnsafePointer(tables.nodes), paths: tables.paths, names: tables.names)
        var more: [(name: String, value: JSONValue)] = [("rule", tracer.json(printer))]
        if tracer.isCut { more.append(("isCut", true)) }
        if rule.readsTimestamp { more.append(("readsClock", true)) }
        let step = flag.isRollout ? "rollout" : "targeting"
        if let error = evaluation.error {
            add(step, decides: true, "failed: \(error.details)", more)
        } else if evaluation.reason == .default {
            add(step, decides: false, flag.isRollout ? "not meant for this context" : "chose nothing", more)
            note(.default(flag.defaultVariant), of: flag)
        } else {
            add(step, decides: true, "chose \(evaluation.variant.map { flag.name(of: $0) } ?? "nothing")", more)
        }
        return evaluation
    }
}

extension CompiledFlag {
    fileprivate func detail(of unmet: UnmetRequirement) -> String {
        let wanted = unmet.requirement.prerequisite
        guard let found = unmet.found, let flag = unmet.flag else {
            return "the flag \(wanted.flagKey) must answer \(wanted.variant), but there is no such flag, or flags that "
                + "require each other go deeper than \(Prerequisite.depthMaximum)"
        }
        let answer = found.variant.map { flag.variants[$0].name } ?? "no variant"
        return "the flag \(wanted.flagKey) must answer \(wanted.variant), but answers \(answer) (\(found.reason.api))"
    }

    fileprivate func name(of variant: Int) -> String { "\"\(variants[variant].name)\"" }

    fileprivate func detail(ofUnused override: TenantOverride?, at now: Timestamp) -> String {
        guard let override else { return "the tenant has none" }
        if let expiry = override.expiresAt, expiry <= now { return "the tenant's ended at \(expiry.rfc3339)" }
        return "the tenant's names a variant that the flag does not have"
    }
}
