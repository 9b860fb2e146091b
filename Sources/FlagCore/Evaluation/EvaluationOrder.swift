/// What a step of an evaluation found.
enum EvaluationFinding {
    /// The kill switch that is on, which decides; nil when none is.
    case killSwitch(KillSwitchKind?)
    /// What is wrong with the flag's definition, which decides.
    case definition(EvaluationError)
    /// Whether the flag is disabled, which decides.
    case state(isDisabled: Bool)
    /// The tenant's override, and the variant that it names, which decides; nil when there is none in force.
    case override(TenantOverride?, variant: Int?)
    /// The first thing that another flag must answer and does not, which decides; nil when all hold.
    case prerequisites(unmet: UnmetRequirement?)
    /// The flag has no rule.
    case noTargeting
    /// The variant of those for whom nothing else decides; nil when the flag has none.
    case `default`(Int?)
}

/// Is told of the steps of an evaluation, in their order.
protocol EvaluationRecorder {
    /// Takes note of a step. What was found is put together only where somebody keeps it.
    mutating func note(_ finding: @autoclosure () -> EvaluationFinding, of flag: CompiledFlag)

    /// Evaluates the rule of a flag, as the evaluation's next step.
    mutating func evaluate(
        _ rule: Rule, of flag: CompiledFlag, _ context: EvaluationContext, _ run: inout EvaluationRun
    ) -> Evaluation
}

/// Keeps nothing: it compiles to nothing.
struct SilentRecorder: EvaluationRecorder {
    @inline(__always)
    func note(_ finding: @autoclosure () -> EvaluationFinding, of flag: CompiledFlag) {}

    @inline(__always)
    func evaluate(
        _ rule: Rule, of flag: CompiledFlag, _ context: EvaluationContext, _ run: inout EvaluationRun
    ) -> Evaluation {
        flag.evaluate(rule, context, &run)
    }
}

extension CompiledFlag {
    /// Evaluates the flag.
    ///
    /// - Parameters:
    ///   - context: for whom.
    ///   - killSwitch: the kill switch that is on, the global one before the flag's; nil when none is.
    ///   - override: the tenant's override; ignored when it has expired or names no variant.
    ///   - run: what the evaluations of the request share.
    package func evaluate(
        _ context: EvaluationContext, killSwitch: KillSwitchKind?, override: TenantOverride?,
        in run: inout EvaluationRun
    ) -> Evaluation {
        var recorder = SilentRecorder()
        return decide(context, killSwitch, override, &run, &recorder)
    }

    /// The same for a request that evaluates nothing else.
    package func evaluate(
        _ context: EvaluationContext, killSwitch: KillSwitchKind?, override: TenantOverride?, now: Timestamp
    ) -> Evaluation {
        var run = EvaluationRun(now: now)
        return evaluate(context, killSwitch: killSwitch, override: override, in: &run)
    }

    /// The order of evaluation: kill switch, definition, state, tenant override, prerequisites, targeting, default; the
    /// first that decides wins. Written here and nowhere else.
    @inline(__always)
    func decide(
        _ context: EvaluationContext, _ killSwitch: KillSwitchKind?, _ override: TenantOverride?,
        _ run: inout EvaluationRun, _ recorder: inout some EvaluationRecorder
    ) -> Evaluation {
        recorder.note(.killSwitch(killSwitch), of: self)
        if let killSwitch {
            let off = isBoolean ? variants.firstIndex { $0.bool == false } : nil
            return Evaluation(variant: off, reason: .killSwitch(killSwitch))
        }
        if let failure {
            recorder.note(.definition(failure), of: self)
            return Evaluation(error: failure)
        }
        recorder.note(.state(isDisabled: isDisabled), of: self)
        if isDisabled { return Evaluation(variant: nil, reason: .disabled) }
        let overriding = override.flatMap { variant(of: $0, at: run.now) }
        recorder.note(.override(override, variant: overriding), of: self)
        if let overriding { return Evaluation(variant: overriding, reason: .tenantOverride) }
        guard requirements.isEmpty else { return decideByRequirements(context, &run, &recorder) }
        return decideByRule(context, &run, &recorder)
    }

    /// The rest of the order for a flag that requires answers of others: the few that do.
    @inline(never)
    private func decideByRequirements(
        _ context: EvaluationContext, _ run: inout EvaluationRun, _ recorder: inout some EvaluationRecorder
    ) -> Evaluation {
        var validUntil: Timestamp?
        let unmet = firstUnmet(context, &run, &validUntil)
        recorder.note(.prerequisites(unmet: unmet), of: self)
        var evaluation: Evaluation
        if unmet == nil {
            evaluation = decideByRule(context, &run, &recorder)
        } else {
            recorder.note(.default(defaultVariant), of: self)
            evaluation = Evaluation(variant: defaultVariant, reason: .prerequisiteFailed)
        }
        if let validUntil { evaluation.validUntil = min(evaluation.validUntil ?? validUntil, validUntil) }
        return evaluation
    }

    @inline(__always)
    private func decideByRule(
        _ context: EvaluationContext, _ run: inout EvaluationRun, _ recorder: inout some EvaluationRecorder
    ) -> Evaluation {
        if let rule { return recorder.evaluate(rule, of: self, context, &run) }
        recorder.note(.noTargeting, of: self)
        recorder.note(.default(defaultVariant), of: self)
        return Evaluation(variant: defaultVariant, reason: defaultVariant == nil ? .default : .static)
    }
}
