import Access
import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON
import Telemetry

extension Evaluator {
    /// Answers one flag in the way of `/api/evaluate`.
    func renderEvaluate(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        let body: EvaluateBody
        do throws(Problem) {
            body = try parse(input, isBatch: false)
        } catch {
            return .refused(error)
        }
        let overrides = lookUpOverrides(body.environment, tenant: body.tenantId)
        var run = evaluationRun(body.environment, overrides)
        let outcome = look(up: body.flagKey, overrides, body, input, &run)
        guard surroundings.missing.isEmpty else { return .missing(surroundings.missing) }
        if let missing = outcome.missing(body.flagKey, overrides, body) { return .missing(missing) }
        output.body.append(byte: UInt8(ascii: "{"))
        outcome.append(to: &output.body)
        output.body.append(",\"flagKey\":")
        output.body.append(jsonString: body.flagKey)
        output.body.append(",\"tenantId\":")
        output.body.append(jsonString: body.tenantId)
        output.body.append(",\"reason\":\"")
        output.body.append(outcome.reason)
        output.body.append("\",\"source\":\"")
        output.body.append(outcome.source(with: overrides).name)
        output.body.append("\",\"environment\":\"")
        output.body.append(body.environment.name)
        output.body.append("\",\"evaluatedAt\":")
        instants.append(now, to: &output.body)
        output.body.append(error: outcome.error)
        outcome.appendMetadata(to: &output.body)
        output.body.append(byte: UInt8(ascii: "}"))
        count(outcome, in: body.environment)
        return .answered(.ok)
    }

    /// Answers several flags in the way of `/api/evaluate/batch`.
    func renderEvaluateBatch(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        let body: EvaluateBody
        do throws(Problem) {
            body = try parse(input, isBatch: true)
        } catch {
            return .refused(error)
        }
        guard let keys = body.flagKeys else { return .answered(.ok) }
        let overrides = lookUpOverrides(body.environment, tenant: body.tenantId)
        var missing: [CacheKey] = []
        var run = evaluationRun(body.environment, overrides)
        output.body.append("{\"tenantId\":")
        output.body.append(jsonString: body.tenantId)
        output.body.append(",\"evaluatedAt\":")
        instants.append(now, to: &output.body)
        output.body.append(",\"flags\":[")
        var isFirst = true
        for element in keys.elements {
            guard let key = element.stringBytes else { continue }
            let outcome = look(up: key, overrides, body, input, &run)
            if let lacking = outcome.missing(key, overrides, body) { missing += lacking }
            guard missing.isEmpty, surroundings.missing.isEmpty else { continue }
            output.body.append(isFirst ? "{\"flagKey\":" : ",{\"flagKey\":")
            isFirst = false
            output.body.append(jsonString: key)
            output.body.append(byte: UInt8(ascii: ","))
            outcome.append(to: &output.body)
            output.body.append(",\"reason\":\"")
            output.body.append(outcome.reason)
            output.body.append(byte: UInt8(ascii: "\""))
            output.body.append(error: outcome.error)
            outcome.appendMetadata(to: &output.body)
            output.body.append(byte: UInt8(ascii: "}"))
            count(outcome, in: body.environment)
        }
        missing += surroundings.missing
        guard missing.isEmpty else { return .missing(missing) }
        output.body.append("]}")
        return .answered(.ok)
    }

    // MARK: - Parts

    private func parse(_ input: EvaluationInput, isBatch: Bool) throws(Problem) -> EvaluateBody {
        try evaluateBody(parse(input.body), input, isBatch: isBatch)
    }

    /// The JSON of a body.
    func parse(_ body: UnsafeRawBufferPointer) throws(Problem) -> JSONView {
        do throws(JSONError) {
            try tape.parse(body)
        } catch {
            throw Problem.invalidJSON(error, isEmpty: body.isEmpty)
        }
        return tape.root
    }

    /// The body of `/api/evaluate`.
    func evaluateBody(
        _ root: JSONView, _ input: EvaluationInput, isBatch: Bool
    ) throws(Problem) -> EvaluateBody {
        let parsed = try EvaluateBody(
            root, isBatch: isBatch, named: input.environment,
            standard: input.caller.onlyEnvironment ?? settings.defaultEnvironment, boundTenant: input.boundTenant)
        guard input.isAllowed(in: parsed.environment) else { throw .forbidden(in: parsed.environment) }
        let limits = settings.contextLimits
        do throws(ContextLimits.Excess) {
            try limits.check(parsed.metadata, ofBody: input.body.count)
        } catch {
            throw .invalidBody([.init(pointer: "/metadata\(error.pointer)", detail: error.detail)])
        }
        guard parsed.targetingKey.count <= limits.textBytes else {
            throw .invalidBody([.init(pointer: "/userId", detail: "must have at most \(limits.textBytes) bytes")])
        }
        return parsed
    }

    /// Evaluates a flag if the cache has all that it takes.
    private func look(
        up key: UnsafeRawBufferPointer, _ overrides: OverridesLookup, _ body: EvaluateBody, _ input: EvaluationInput,
        _ run: inout EvaluationRun
    ) -> EvaluateOutcome {
        switch input.visible(cache.flag(body.environment, key: key, now: loop.monotonicMilliseconds)) {
        case .found(let flag, let source):
            if case .missing = overrides { return .missing(flagIsKnown: true) }
            let context = EvaluationContext(
                attributes: body.metadata, targetingKey: body.targetingKey, tenantId: body.tenantId)
            let evaluation = flag.evaluate(
                context, killSwitch: cache.killSwitch(body.environment, key: key),
                override: overrides.override(for: key), in: &run)
            return .evaluated(flag, evaluation, source)
        case .absent(let source): return .absent(source)
        case .missing: return .missing(flagIsKnown: false)
        }
    }

    private func count(_ outcome: EvaluateOutcome, in environment: Environment) {
        switch outcome {
        case .evaluated(let flag, let evaluation, _): count(evaluation, of: flag, in: environment, .api)
        case .absent(.default): counters.raise(metrics.evaluation(.api, .error))
        case .absent: counters.raise(metrics.unknownFlag(.api))
        case .missing: break
        }
    }
}

/// What became of one flag of `/api/evaluate`.
private enum EvaluateOutcome {
    case evaluated(CompiledFlag, Evaluation, AnswerSource)
    /// There is no such flag; or, with the source `default`, the store does not answer and nothing is known.
    case absent(AnswerSource)
    case missing(flagIsKnown: Bool)

    /// What must be loaded first, nil when nothing.
    func missing(
        _ key: UnsafeRawBufferPointer, _ overrides: OverridesLookup, _ body: EvaluateBody
    ) -> [CacheKey]? {
        guard case .missing(let flagIsKnown) = self else { return nil }
        var missing: [CacheKey] = []
        if !flagIsKnown { missing.append(.flag(body.environment, Array(key))) }
        if case .missing = overrides { missing.append(.overrides(body.environment, tenant: Array(body.tenantId))) }
        return missing
    }

    /// Writes `enabled`, `value` and `variant`.
    func append(to answer: inout ByteBuffer) {
        switch self {
        case .evaluated(let flag, let evaluation, _): answer.append(outcome: evaluation, of: flag)
        case .absent, .missing: answer.append(ByteBuffer.noOutcome)
        }
    }

    /// Writes what the server says about the flag, where there is one.
    func appendMetadata(to answer: inout ByteBuffer) {
        if case .evaluated(let flag, _, _) = self { answer.append(metadataOf: flag) }
    }

    var reason: StaticString {
        switch self {
        case .evaluated(_, let evaluation, _): evaluation.reason.api
        case .absent(.default): "error"
        case .absent, .missing: "flag_not_found"
        }
    }

    /// Where the response came from: the worse of the flag's source and, where there was a flag, the overrides'.
    func source(with overrides: OverridesLookup) -> AnswerSource {
        switch self {
        case .evaluated(_, _, let source): max(source, overrides.source)
        case .absent(let source): source
        case .missing: .store
        }
    }

    var error: EvaluationError? {
        switch self {
        case .evaluated(_, let evaluation, _): evaluation.error
        case .absent(.default): EvaluateOutcome.storeUnavailable
        case .absent, .missing: nil
        }
    }

    private static let storeUnavailable = EvaluationError(
        code: .general, details: "the store does not answer and the flag is not in the cache")
}
