import Bytes
import JSON

/// What a flag's rule decides.
extension CompiledFlag {
    /// Whether nothing but its rule decides what the flag answers where neither a kill switch nor an override does.
    package var isDecidedByRule: Bool { decidingTables != nil }

    /// Evaluates a flag among many: the same as `evaluate` without kill switch and override, for less where the rule
    /// of a flag that is decided by it chooses a variant, which is nearly always.
    ///
    /// - Parameter evaluation: takes whatever else came of it.
    /// - Returns: the variant that the rule chose; nil when that is not what came of it.
    @inline(__always)
    package func choose(
        _ context: EvaluationContext, in run: inout EvaluationRun, orElse evaluation: inout Evaluation
    ) -> Int? {
        guard let tables = decidingTables else {
            evaluation = evaluate(context, killSwitch: nil, override: nil, in: &run)
            return nil
        }
        return withEvaluator(of: tables, context, &run) { evaluator, allowed in
            do throws(RuleFailure) {
                let result = try evaluator.evaluate(UnsafePointer(tables.nodes))
                if case .string(let name) = result, !isRollout {
                    try evaluator.step(names.count / 8)
                    if let variant = index(of: name) { return variant }
                    evaluation = Evaluation(error: try notAVariant(result, &evaluator))
                } else {
                    evaluation = try answer(to: result, &evaluator)
                    if isRollout, evaluation.reason == .split { return evaluation.variant }
                }
            } catch {
                evaluation = Evaluation(error: ruleError(for: error, steps: allowed))
            }
            return nil
        }
    }

    func evaluate(
        _ rule: Rule, _ context: EvaluationContext, _ run: inout EvaluationRun, tracer: RuleTracer? = nil
    ) -> Evaluation {
        withEvaluator(of: rule.tables, context, &run) { evaluator, allowed in
            evaluator.tracer = tracer
            do throws(RuleFailure) {
                let result = try evaluator.evaluate(UnsafePointer(rule.tables.nodes))
                var evaluation = try answer(to: result, &evaluator)
                evaluation.validUntil = evaluator.nextChange
                return evaluation
            } catch {
                return Evaluation(error: rule.error(for: error, steps: allowed))
            }
        }
    }

    /// Calls `body` with an evaluator, and with the number of steps that it may take.
    @inline(__always)
    private func withEvaluator<Result>(
        of tables: RuleTables, _ context: EvaluationContext, _ run: inout EvaluationRun,
        _ body: (inout RuleEvaluator, Int) -> Result
    ) -> Result {
        // Computed texts and lists begin on the stack, and go on in heap blocks when that is not enough.
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { stack in
            let scratch = ScratchMemory(first: stack, limit: RuleLimits.standard.scratchBytes)
            let allowed = run.allowedSteps
            var evaluator = RuleEvaluator(
                tables: tables, context: context, now: run.now, scratch: scratch, steps: allowed)
            evaluator.hashedSubject = run.hashedSubject
            if needsSurroundings { evaluator.surroundings = run.surroundings }
            defer {
                run.spend(allowed - evaluator.remainingSteps)
                run.hashedSubject = evaluator.hashedSubject
                evaluator.scratch.deallocate()
            }
            return body(&evaluator, allowed)
        }
    }

    /// What a failed evaluation of the flag's rule answers.
    @inline(never)
    private func ruleError(for failure: RuleFailure, steps: Int) -> EvaluationError {
        rule?.error(for: failure, steps: steps) ?? EvaluationError(code: .general, details: "there is no rule")
    }

    /// What a rule's result means: null the default variant, anything else the variant of that name.
    private func answer(to result: Operand, _ evaluator: inout RuleEvaluator) throws(RuleFailure) -> Evaluation {
        let variant: Int?
        if isRollout, case .bool(let isIn) = result {
            return Evaluation(variant: variants.firstIndex { $0.bool == isIn }, reason: .split)
        }
        switch result {
        case .null: return Evaluation(variant: defaultVariant, reason: .default)
        case .number(let value) where value.isNaN: return Evaluation(variant: defaultVariant, reason: .default)
        case .bool(let value): variant = value ? booleanVariants.true : booleanVariants.false
        case .string(let name):
            try evaluator.step(names.count / 8)
            variant = index(of: name)
        default: variant = try evaluator.jsonText(of: result).withUnsafeBytes { index(of: $0) }
        }
        guard let variant else { return Evaluation(error: try notAVariant(result, &evaluator)) }
        return Evaluation(variant: variant, reason: .targetingMatch)
    }

    /// What is said of a result that names no variant: the result, as far as it is short.
    @inline(never)
    private func notAVariant(
        _ result: Operand, _ evaluator: inout RuleEvaluator
    ) throws(RuleFailure) -> EvaluationError {
        let text = String(decoding: try evaluator.jsonText(of: result), as: UTF8.self)
        let shown = text.unicodeScalars.count > 100 ? "\(String(text.unicodeScalars.prefix(100)))…" : text
        return EvaluationError(
            code: .general, details: "targeting came to \(shown), which is no variant of the flag",
            quotesContext: true)
    }

    private func index(of name: UnsafeRawBufferPointer) -> Int? {
        names.firstIndex { $0.hasSameBytes(as: name) }
    }
}
