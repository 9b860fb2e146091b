import FlagCore
import FlagStore
import HTTPTransport
import JSON

extension LoopHandler {
    /// Answers one flag in OFREP's way.
    func renderOFREPFlag(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        var key = input.key
        if PercentEncoding.isEncoded(key) {
            do throws(PercentEncoding.Failure) {
                try PercentEncoding.decode(key, into: &decodedKey)
                key = decodedKey.bytes
            } catch {
                return fail(
                    .init(.general, "the flag's key cannot be decoded: \(error.description)"), key, 400, &output)
            }
        }
        let environment = input.environment ?? service.settings.defaultEnvironment
        let body: OFREPBody
        do throws(OFREPFailure) {
            body = try parseOFREP(input.body)
        } catch {
            return fail(error, key, 400, &output)
        }
        let lookup = cache.flag(environment, key: key, now: loop.monotonicMilliseconds)
        if case .missing = lookup, let refusal = refuseKey(key, &output) { return refusal }
        return evaluateOFREP(lookup, key, body, environment, &output)
    }

    private func evaluateOFREP(
        _ lookup: FlagLookup, _ key: UnsafeRawBufferPointer, _ body: OFREPBody, _ environment: Environment,
        _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        let overrides = lookUpOverrides(environment, tenant: body.tenantId)
        switch (lookup, overrides) {
        case (.found(let flag, _), .none), (.found(let flag, _), .found):
            var run = evaluationRun(of: flag, environment, overrides)
            let evaluation = flag.evaluate(
                EvaluationContext(attributes: body.context), killed: cache.isKilled(environment, key: key),
                override: overrides.override(for: key), in: &run)
            if flag.needsSurroundings, !surroundings.missing.isEmpty { return .missing(surroundings.missing) }
            count(evaluation, of: flag, in: environment, .ofrep)
            output.body.append(ofrep: evaluation, of: flag, at: now)
            return .answered(evaluation.error == nil ? .ok : .badRequest)
        case (.absent(.default), _):
            counters.raise(ServiceMetrics.evaluation(.ofrep, .error))
            return fail(.storeUnavailable, key, 503, &output)
        case (.absent, _):
            counters.raise(ServiceMetrics.unknownFlag(.ofrep))
            let name = String(decoding: key, as: UTF8.self)
            return fail(.init(.flagNotFound, "there is no flag \(name) in \(environment.rawValue)"), key, 404, &output)
        case (.missing, _), (_, .missing):
            var missing: [CacheKey] = []
            if case .missing = lookup { missing.append(.flag(environment, Array(key))) }
            if case .missing = overrides, let tenant = body.tenantId {
                missing.append(.overrides(environment, tenant: Array(tenant)))
            }
            return .missing(missing)
        }
    }

    /// Answers all flags of the environment in OFREP's way.
    ///
    /// The entity tag is decided before anything is evaluated, from everything that an answer depends on: the store,
    /// the flags' rules and which of them are past their dates, the kill switches, the tenant's overrides that are in
    /// force, the tenant and the context. Where a rollout follows the clock, so is the time until which it answers this
    /// context alike. Only where a rule reads the clock itself is the answer hashed.
    func renderOFREPFlags(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        let environment = input.environment ?? service.settings.defaultEnvironment
        let body: OFREPBody
        do throws(OFREPFailure) {
            body = try parseOFREP(input.body)
        } catch {
            return fail(error, nil, 400, &output)
        }
        let lookup = cache.ruleSet(environment, now: loop.monotonicMilliseconds)
        let overrides = lookUpOverrides(environment, tenant: body.tenantId)
        switch lookup {
        case .unavailable: return fail(.storeUnavailable, nil, 503, &output)
        case .missing:
            var missing = [CacheKey.ruleSet(environment)]
            if case .missing = overrides, let tenant = body.tenantId {
                missing.append(.overrides(environment, tenant: Array(tenant)))
            }
            return .missing(missing)
        case .found(let ruleSet, _):
            if case .missing = overrides, let tenant = body.tenantId {
                return .missing([.overrides(environment, tenant: Array(tenant))])
            }
            if ruleSet.namesSegments,
                cache.segmentsFingerprint(environment, now: loop.monotonicMilliseconds) == nil
            {
                return .missing([.segments(environment)])
            }
            return evaluateOFREP(ruleSet, overrides, body, environment, input.ifNoneMatch, &output)
        }
    }

    private func evaluateOFREP(
        _ ruleSet: RuleSet, _ overrides: OverridesLookup, _ body: OFREPBody, _ environment: Environment,
        _ ifNoneMatch: UnsafeRawBufferPointer?, _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        let now = now
        var digest = KeyedDigest(tagKey)
        digest.update(UInt64(environment.index))
        let namesSegments = ruleSet.namesSegments
        if ruleSet.readsTimestamp || (namesSegments && cache.segmentsReadTimestamp(environment)) {
            guard write(ruleSet, overrides, body, environment, now, &output.body) else {
                return refuseLargeAnswer(ruleSet, &output)
            }
            digest.update(output.body.bytes)
        } else {
            digest.update(ruleSet.fingerprint)
            digest.update(UInt64(ruleSet.staleCount(at: now)))
            digest.update(cache.killSwitchFingerprint(environment))
            digest.update(overrides.fingerprint(at: now))
            if namesSegments {
                digest.update(cache.segmentsFingerprint(environment, now: loop.monotonicMilliseconds) ?? 0)
            }
            digest.update(UInt64(body.tenantId?.count ?? 0))
            if let tenant = body.tenantId { digest.update(tenant) }
            // A missing context is an empty one.
            if let context = body.context, context.count > 0 {
                digest.update(ContextDigest.of(context, key: tagKey))
            }
            if ruleSet.followsClock {
                digest.update(UInt64(bitPattern: validity(of: ruleSet, body, now).millisecondsSinceEpoch))
            }
        }
        EntityTag.append(digest.finish(), to: &output.tag)
        if let ifNoneMatch, EntityTag.list(ifNoneMatch, matches: output.tag.bytes, weakly: true) {
            output.body.reset()
            return .answered(.notModified)
        }
        if output.body.count == 0, !write(ruleSet, overrides, body, environment, now, &output.body) {
            return refuseLargeAnswer(ruleSet, &output)
        }
        return .answered(.ok)
    }

    /// An answer is written as a whole, and waits as a whole for a slow reader.
    private func refuseLargeAnswer(_ ruleSet: RuleSet, _ output: inout EvaluationOutput) -> EvaluationResult {
        let limit = service.settings.bulkAnswerBytes
        return fail(
            .init(
                .general,
                "the answer of all \(ruleSet.count) flags takes more than \(limit) bytes (limits.bulk-answer): ask for "
                    + "flags one by one, make their variants smaller, or raise the limit"), nil, 500, &output)
    }

    /// The first instant at which a rollout may change an answer for the request's context. A kill switch or an
    /// override may keep it from doing so: it is then only an instant at which nothing changes.
    private func validity(of ruleSet: RuleSet, _ body: OFREPBody, _ now: Timestamp) -> Timestamp {
        let context = EvaluationContext(attributes: body.context)
        var run = EvaluationRun(now: now)
        var validity = Timestamp(millisecondsSinceEpoch: .max)
        for index in 0..<ruleSet.count where ruleSet.flag(at: index).followsClock {
            let evaluation = ruleSet.flag(at: index).evaluate(context, killed: false, override: nil, in: &run)
            if let instant = evaluation.validUntil { validity = min(validity, instant) }
        }
        return validity
    }

    /// Evaluates every flag of a rule set.
    ///
    /// - Returns: whether the answer is as large as it may be at most.
    private func write(
        _ ruleSet: RuleSet, _ overrides: OverridesLookup, _ body: OFREPBody, _ environment: Environment,
        _ now: Timestamp, _ answer: inout AnswerBuffer
    ) -> Bool {
        let context = EvaluationContext(attributes: body.context)
        let limit = service.settings.bulkAnswerBytes
        var run = evaluationRun(environment, overrides, ruleSet: ruleSet)
        // Only where a kill switch or an override exists is each flag's key looked up.
        let mayDiffer = overrides.isFound || cache.killSwitchFingerprint(environment) != 0
        answer.append("{\"flags\":[")
        for index in 0..<ruleSet.count {
            if index > 0 { answer.append(byte: UInt8(ascii: ",")) }
            let flag = ruleSet.flag(at: index)
            var isKilled = false
            var override: TenantOverride?
            if mayDiffer {
                var key = flag.key
                key.withUTF8 { key in
                    isKilled = cache.isKilled(environment, key: UnsafeRawBufferPointer(key))
                    override = overrides.override(for: UnsafeRawBufferPointer(key))
                }
            }
            let evaluation = flag.evaluate(context, killed: isKilled, override: override, in: &run)
            count(evaluation, of: flag, in: environment, .ofrep)
            answer.append(ofrep: evaluation, of: flag, at: now)
            if answer.count > limit { return false }
        }
        answer.append("]}")
        return true
    }

    // MARK: - Parts

    private func parseOFREP(_ body: UnsafeRawBufferPointer) throws(OFREPFailure) -> OFREPBody {
        do throws(JSONError) {
            try tape.parse(body)
        } catch {
            throw OFREPFailure(
                .parseError,
                body.isEmpty ? "the body is empty; send a JSON object such as {}" : "the body is not JSON: \(error)")
        }
        let parsed = try OFREPBody(tape.root)
        do throws(ContextLimits.Excess) {
            try service.settings.contextLimits.check(parsed.context, ofBody: body.count)
        } catch {
            throw OFREPFailure(.invalidContext, "context\(error.pointer): \(error.detail)")
        }
        return parsed
    }

    /// Puts a failure into the output.
    private func fail(
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
        counters.raise(ServiceMetrics.unknownFlag(.ofrep))
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
