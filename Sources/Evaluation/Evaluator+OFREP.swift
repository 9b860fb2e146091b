import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON
import Telemetry

extension Evaluator {
    /// Answers one flag in OFREP's way.
    func renderOFREPFlag(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        var key = input.key
        if PercentEncoding.isEncoded(key) {
            do throws(PercentEncoding.Failure) {
                try PercentEncoding.decode(key, into: &decodedKey)
                key = decodedKey.readable
            } catch {
                return fail(
                    .init(.general, "the flag's key cannot be decoded: \(error.description)"), key, 400, &output)
            }
        }
        let environment = input.environment(orElse: settings.defaultEnvironment)
        guard input.isAllowed(in: environment) else { return fail(.forbidden(in: environment), key, 403, &output) }
        let body: OFREPBody
        do throws(OFREPFailure) {
            body = try parseOFREP(input.body)
        } catch {
            return fail(error, key, 400, &output)
        }
        guard let tenant = input.tenant(named: body.tenantId) else { return fail(.otherTenant, key, 403, &output) }
        let lookup = input.visible(cache.flag(environment, key: key, now: loop.monotonicMilliseconds))
        if case .missing = lookup, let refusal = refuseKey(key, &output) { return refusal }
        return evaluateOFREP(lookup, key, body, environment, input, tenant, &output)
    }

    private func evaluateOFREP(
        _ lookup: FlagLookup, _ key: UnsafeRawBufferPointer, _ body: OFREPBody, _ environment: Environment,
        _ input: EvaluationInput, _ tenant: NamedTenant, _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        let overrides = lookUpOverrides(environment, tenant: tenant.id)
        switch (lookup, overrides) {
        case (.found(let flag, _), .none), (.found(let flag, _), .found):
            var run = evaluationRun(of: flag, environment, overrides)
            let evaluation = flag.evaluate(
                EvaluationContext(attributes: body.context, tenantId: input.boundTenant),
                killSwitch: cache.killSwitch(environment, key: key),
                override: overrides.override(for: key), in: &run)
            if flag.needsSurroundings, !surroundings.missing.isEmpty { return .missing(surroundings.missing) }
            count(evaluation, of: flag, in: environment, .ofrep)
            output.body.append(ofrep: evaluation, of: flag, at: now)
            return .answered(evaluation.error == nil ? .ok : .badRequest)
        case (.absent(.default), _):
            counters.raise(metrics.evaluation(.ofrep, .error))
            return fail(.storeUnavailable, key, 503, &output)
        case (.absent, _):
            counters.raise(metrics.unknownFlag(.ofrep))
            let name = String(decoding: key, as: UTF8.self)
            return fail(.init(.flagNotFound, "there is no flag \(name) in \(environment.rawValue)"), key, 404, &output)
        case (.missing, _), (_, .missing):
            var missing: [CacheKey] = []
            if case .missing = lookup { missing.append(.flag(environment, Array(key))) }
            if case .missing = overrides, let tenant = tenant.id {
                missing.append(.overrides(environment, tenant: Array(tenant)))
            }
            return .missing(missing)
        }
    }

    // MARK: - Parts

    func parseOFREP(_ body: UnsafeRawBufferPointer) throws(OFREPFailure) -> OFREPBody {
        do throws(JSONError) {
            try tape.parse(body)
        } catch {
            throw OFREPFailure(
                .parseError,
                body.isEmpty ? "the body is empty; send a JSON object such as {}" : "the body is not JSON: \(error)")
        }
        let parsed = try OFREPBody(tape.root)
        do throws(ContextLimits.Excess) {
            try settings.contextLimits.check(parsed.context, ofBody: body.count)
        } catch {
            throw OFREPFailure(.invalidContext, "context\(error.pointer): \(error.detail)")
        }
        return parsed
    }

    /// Puts a failure into the output.
    func fail(
        _ failure: OFREPFailure, _ key: UnsafeRawBufferPointer?, _ status: UInt16, _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        output.reset()
        if let key, String(validating: key, as: UTF8.self) == nil {
            var repaired = String(decoding: key, as: UTF8.self)
            repaired.withUTF8 { output.body.append(ofrep: failure, key: UnsafeRawBufferPointer($0)) }
        } else {
            output.body.append(ofrep: failure, key: key)
        }
        return .answered(HTTPStatus(status))
    }

    /// Refuses a key that no flag can have, before the store is asked for it.
    private func refuseKey(_ key: UnsafeRawBufferPointer, _ output: inout EvaluationOutput) -> EvaluationResult? {
        guard let text = String(validating: key, as: UTF8.self) else {
            return fail(.init(.general, "the flag's key is not valid UTF-8"), key, 400, &output)
        }
        guard let complaint = TextRule.flagKey.complaint(about: text) else { return nil }
        counters.raise(metrics.unknownFlag(.ofrep))
        return fail(.init(.flagNotFound, "there is no such flag: a key \(complaint)"), key, 404, &output)
    }

    /// The overrides of a tenant; none without a tenant, or for a name that is too long to be one.
    func lookUpOverrides(_ environment: Environment, tenant: UnsafeRawBufferPointer?) -> OverridesLookup {
        guard let tenant, tenant.count <= FlagLimits.tenantCharacters * 4 else { return .none(.cache) }
        return cache.overrides(environment, tenant: tenant, now: loop.monotonicMilliseconds)
    }
}

extension OFREPFailure {
    /// Nothing is known of the flag, and the store does not answer.
    static let storeUnavailable = OFREPFailure(
        .general, "the store does not answer and the flag is not in the cache; try again in a second")
}

extension OverridesLookup {
    /// Whether the tenant has any.
    var isFound: Bool { if case .found = self { true } else { false } }

    /// Where this was known from.
    var source: AnswerSource {
        switch self {
        case .found(_, let source), .none(let source): source
        case .missing: .store
        }
    }

    /// The override of a flag.
    func override(for key: UnsafeRawBufferPointer) -> TenantOverride? {
        if case .found(let overrides, _) = self { overrides.override(for: key) } else { nil }
    }

    /// A hash of the overrides in force.
    func fingerprint(at now: Timestamp) -> UInt64 {
        if case .found(let overrides, _) = self { overrides.fingerprint(at: now) } else { 0 }
    }
}
