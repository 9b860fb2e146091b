import Access
import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

extension Evaluator {
    /// Answers why a flag is what it is, for a body like that of `/api/evaluate` or one of OFREP. For persons: it
    /// compiles and allocates.
    ///
    /// It is answered on the loop, out of the loop's own cache: whatever requests get is what is explained.
    func renderExplain(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        let body: ExplainBody
        do throws(Problem) {
            body = try parseExplanation(input)
        } catch {
            return .refused(error)
        }
        let overrides = lookUpOverrides(body.environment, tenant: body.tenantId)
        let lookup = cache.flag(body.environment, key: body.flagKey, now: loop.monotonicMilliseconds)
        var missing: [CacheKey] = []
        if case .missing = lookup { missing.append(.flag(body.environment, Array(body.flagKey))) }
        if case .missing = overrides, let tenant = body.tenantId {
            missing.append(.overrides(body.environment, tenant: Array(tenant)))
        }
        guard missing.isEmpty else { return .missing(missing) }
        // The rule is compiled anew: not in the turn in which others were.
        if !input.wasPostponed, cache.isBusy(now: loop.monotonicMilliseconds) { return .postponed }
        var run = evaluationRun(body.environment, overrides)
        let answer = explanation(lookup, overrides, body, &run)
        guard surroundings.missing.isEmpty else { return .missing(surroundings.missing) }
        output.body.append(JSONValue.object(answer).serializedBytes())
        return .answered(.ok)
    }

    private func parseExplanation(_ input: EvaluationInput) throws(Problem) -> ExplainBody {
        let root = try parse(input.body)
        let flagKey = input.key.isEmpty ? nil : input.key
        if root.kind == .object, ExplainBody.isOFREP(root) {
            let body = try ExplainBody(
                ofrep: root, flagKey: flagKey, named: input.environment,
                standard: input.caller.onlyEnvironment ?? settings.defaultEnvironment,
                boundTenant: input.boundTenant, settings.contextLimits, ofBody: input.body.count)
            guard input.isAllowed(in: body.environment) else { throw .forbidden(in: body.environment) }
            return body
        }
        if flagKey != nil {
            throw .invalidQuery([.init(pointer: "?flagKey", detail: "goes with a body of OFREP; this one has flagKey")])
        }
        return ExplainBody(try evaluateBody(root, input, isBatch: false))
    }

    private func explanation(
        _ lookup: FlagLookup, _ overrides: OverridesLookup, _ body: ExplainBody, _ run: inout EvaluationRun
    ) -> JSONObject {
        let key = String(decoding: body.flagKey, as: UTF8.self)
        var answer: JSONObject = [
            "flagKey": .string(key),
            "tenantId": body.tenantId.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null,
            "environment": .string(body.environment.rawValue), "evaluatedAt": .string(now.rfc3339),
        ]
        switch lookup {
        case .found(let flag, let source):
            let override = overrides.override(for: body.flagKey)
            let explanation = flag.explain(
                body.context, killSwitch: cache.killSwitch(body.environment, key: body.flagKey), override: override,
                in: &run)
            let evaluation = explanation.evaluation
            add(evaluation, of: flag, to: &answer)
            answer["source"] = .string("\(max(source, overrides.source).name)")
            let end = evaluation.reason == .tenantOverride ? override?.expiresAt : evaluation.validUntil
            answer["changesAt"] = end.map { .string($0.rfc3339) } ?? .null
            answer["trace"] = explanation.trace
        case .absent(let source):
            let isUnknown = source != .default
            let detail =
                isUnknown
                ? "there is no flag of this key in \(body.environment.rawValue)"
                : "the store does not answer and the flag is not in the cache"
            for (name, value) in [("enabled", JSONValue.bool(false)), ("value", .null), ("variant", .null)] {
                answer[name] = value
            }
            answer["reason"] = isUnknown ? "flag_not_found" : "error"
            answer["source"] = .string("\(source.name)")
            answer["changesAt"] = .null
            answer["trace"] = [["step": "flag", "decides": true, "detail": .string(detail)]]
        case .missing:
            preconditionFailure("What is missing is loaded before")
        }
        return answer
    }

    private func add(_ evaluation: Evaluation, of flag: CompiledFlag, to answer: inout JSONObject) {
        let variant = evaluation.variant.map { flag.variants[$0] }
        answer["enabled"] = .bool(flag.isEnabled(by: evaluation))
        answer["value"] = flag.valueJSON(of: evaluation).flatMap { try? JSONValue(parsing: Array($0)) } ?? .null
        answer["variant"] = variant.map { .string($0.name) } ?? .null
        answer["reason"] = .string("\(evaluation.reason.api)")
        if let error = evaluation.error {
            answer["errorCode"] = .string(error.code.rawValue)
            answer["errorDetails"] = .string(error.details)
        }
        if flag.isClientSide { answer["metadata"] = ["clientSide": true] }
    }
}
