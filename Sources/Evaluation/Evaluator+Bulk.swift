import Access
import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON
import Telemetry

/// What a bulk response is made from.
private struct BulkRequest {
    let environment: Environment
    let ruleSet: RuleSet
    /// Of the segments that rules name; nil when they name none.
    let segments: UInt64?
    let overrides: OverridesLookup
    let body: OFREPBody
    /// Whether flags are left out that are not for keys in browsers.
    let isClientSideOnly: Bool
    /// The only tenant that it may be about.
    let boundTenant: UnsafeRawBufferPointer?
    /// The tenant that it is about.
    let tenantId: UnsafeRawBufferPointer?
    var context: EvaluationContext { EvaluationContext(attributes: body.context, tenantId: boundTenant) }
}

/// All flags at once.
extension Evaluator {
    /// What a bulk response begins with.
    private static let bulkHead: StaticString = "{\"flags\":"
    /// Rollouts that are asked until when they answer alike, before anything is written.
    private static let askedRolloutsMaximum = 10_000
    /// Bytes that the response of one flag has at least.
    private static let flagBytesMinimum = 40
    /// To be raised with every change of how a bulk response is written: a client must not keep what an earlier version
    /// of this program wrote.
    private static let bulkResponseForm: UInt64 = 4

    /// Answers all flags of the environment in OFREP's way, in one or more slices of the loop's time.
    func renderOFREPFlags(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        guard writing == nil || input.isWriting else { return .queued }
        let environment = input.environment(orElse: settings.defaultEnvironment)
        guard input.isAllowed(in: environment) else { return fail(.forbidden(in: environment), nil, 403, &output) }
        let body: OFREPBody
        do throws(OFREPFailure) {
            body = try parseOFREP(input.body)
        } catch {
            return fail(error, nil, 400, &output)
        }
        guard let tenant = input.tenant(named: body.tenantId) else { return fail(.otherTenant, nil, 403, &output) }
        let lookup = cache.ruleSet(environment, now: loop.monotonicMilliseconds)
        let overrides = lookUpOverrides(environment, tenant: tenant.id)
        var missing: [CacheKey] = []
        if case .missing = lookup { missing.append(.ruleSet(environment)) }
        if case .missing = overrides, let tenant = tenant.id {
            missing.append(.overrides(environment, tenant: Array(tenant)))
        }
        switch lookup {
        case .unavailable: return fail(.storeUnavailable, nil, 503, &output)
        case .found(let ruleSet, _) where missing.isEmpty:
            var segments: UInt64?
            if ruleSet.namesSegments {
                segments = cache.segmentsFingerprint(environment, now: loop.monotonicMilliseconds)
                if segments == nil { return .missing([.segments(environment)]) }
            }
            let request = BulkRequest(
                environment: environment, ruleSet: ruleSet, segments: segments, overrides: overrides, body: body,
                isClientSideOnly: input.caller.seesClientSideOnly, boundTenant: input.boundTenant, tenantId: tenant.id)
            return evaluate(request, input, &output)
        case .found, .missing: return .missing(missing)
        }
    }

    /// The entity tag is decided before anything is evaluated, from everything that a response depends on. Only where a
    /// rule reads the clock itself, or very many rollouts follow it, is the response hashed.
    private func evaluate(
        _ request: BulkRequest, _ input: EvaluationInput, _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        guard request.ruleSet.count <= settings.bulkResponseBytes / Evaluator.flagBytesMinimum else {
            return refuseLargeResponse(request.ruleSet, &output)
        }
        let now = input.unfinished?.now ?? now
        surroundings.prepare(
            request.environment, request.overrides, ruleSet: request.ruleSet, now: loop.monotonicMilliseconds)
        let isHashed =
            request.ruleSet.readsTimestamp || request.ruleSet.clockFollowers > Evaluator.askedRolloutsMaximum
            || (request.segments != nil && cache.segmentsReadTimestamp(request.environment))
        let state = digest(of: request, now, asksRollouts: !isHashed)
        if !isHashed, isKnown(state, to: input, &output) { return .answered(.notModified) }
        var place = input.unfinished?.take(&output.body, for: state) ?? BulkPosition()
        let slice = input.unfinished?.maySlice ?? true ? WorkSlice(settings.workClock) : nil
        switch write(request, now, from: &place, within: slice, &output.body) {
        case .tooLarge: return refuseLargeResponse(request.ruleSet, &output)
        case .unfinished:
            let unfinished = input.unfinished ?? UnfinishedResponse(now: now, state: state)
            unfinished.keep(&output.body, upTo: place)
            return .unfinished(unfinished)
        case .whole: break
        }
        if isHashed {
            var digest = beginDigest(of: request)
            digest.update(output.body.readable)
            if isKnown(digest.finish(), to: input, &output) {
                output.body.reset()
                return .answered(.notModified)
            }
        }
        return .answered(.ok)
    }

    /// Writes the entity tag, and says whether the client has the response already.
    private func isKnown(
        _ tag: KeyedDigest.Value, to input: EvaluationInput, _ output: inout EvaluationOutput
    ) -> Bool {
        EntityTag.append(tag, to: &output.tag)
        guard let condition = input.ifNoneMatch else { return false }
        return EntityTag.list(condition, matches: output.tag.readable, weakly: true)
    }

    private func beginDigest(of request: BulkRequest) -> KeyedDigest {
        var digest = KeyedDigest(tagKey)
        digest.update(Evaluator.bulkResponseForm)
        digest.update(UInt64(request.environment.index) | (request.isClientSideOnly ? 1 << 8 : 0))
        return digest
    }

    /// A digest of everything that a response depends on: the store, the flags' rules and which of them are past their
    /// dates, the kill switches, the tenant's overrides that are in force, the tenant and the context. Where rollouts
    /// follow the clock, also of the time until which they answer this context alike.
    private func digest(of request: BulkRequest, _ now: Timestamp, asksRollouts: Bool) -> KeyedDigest.Value {
        var digest = beginDigest(of: request)
        digest.update(request.ruleSet.fingerprint)
        digest.update(UInt64(request.ruleSet.staleCount(at: now)))
        digest.update(cache.killSwitchFingerprint(request.environment))
        digest.update(request.overrides.fingerprint(at: now))
        if let segments = request.segments { digest.update(segments) }
        digest.update(UInt64(request.tenantId?.count ?? 0))
        if let tenant = request.tenantId { digest.update(tenant) }
        // A missing context is an empty one.
        if let context = request.body.context, context.count > 0 {
            digest.update(ContextDigest.of(context, key: tagKey))
        }
        if asksRollouts, request.ruleSet.clockFollowers > 0 {
            digest.update(UInt64(bitPattern: validity(of: request, now).millisecondsSinceEpoch))
        }
        return digest.finish()
    }

    /// The first instant at which a rollout may change a response for the request's context. A kill switch or an
    /// override may keep it from doing so: it is then only an instant at which nothing changes.
    private func validity(of request: BulkRequest, _ now: Timestamp) -> Timestamp {
        let context = request.context
        let ruleSet = request.ruleSet
        // A rollout whose flag requires others is looked at only where these answer what they must.
        var run = EvaluationRun(now: now, surroundings: surroundings)
        var validity = Timestamp(millisecondsSinceEpoch: .max)
        for index in 0..<ruleSet.count where ruleSet.flag(at: index).followsClock {
            let evaluation = ruleSet.flag(at: index).evaluate(context, killSwitch: nil, override: nil, in: &run)
            if let instant = evaluation.validUntil { validity = min(validity, instant) }
        }
        return validity
    }

    /// What came of writing a response.
    private enum Writing {
        case whole
        /// The slice was over before.
        case unfinished
        /// The response has more bytes than it may have.
        case tooLarge
    }

    /// Evaluates the flags of a rule set from a place on, and writes what they answer.
    ///
    /// - Parameters:
    ///   - place: where to begin; becomes where to go on.
    ///   - slice: when to stop; nil for never.
    private func write(
        _ request: BulkRequest, _ now: Timestamp, from place: inout BulkPosition, within slice: WorkSlice?,
        _ answer: inout ByteBuffer
    ) -> Writing {
        let ruleSet = request.ruleSet
        var run = EvaluationRun(now: now, steps: place.remainingSteps, surroundings: surroundings)
        // Only where a kill switch or an override exists is each flag's key looked up.
        let mayDiffer = request.overrides.isFound || cache.killSwitchFingerprint(request.environment) != 0
        if place.index == 0 {
            if answer.isEmpty { answer.reset(leaving: Exchange.headBytes) }
            answer.append(Evaluator.bulkHead)
        }
        for index in stride(from: place.index, to: ruleSet.count, by: RuleSet.stretch) {
            if index != place.index, slice?.isOver ?? false {
                place = BulkPosition(index: index, remainingSteps: run.remainingSteps)
                return .unfinished
            }
            let fits =
                mayDiffer
                ? appendEach(from: index, request, &run, &answer) : appendJoined(from: index, request, &run, &answer)
            if !fits { return .tooLarge }
        }
        // A comma stands before each flag: the first one's becomes the list's bracket.
        let head = Evaluator.bulkHead.utf8CodeUnitCount
        if answer.count == head { answer.append("[") } else { answer.mutableReadable[head] = UInt8(ascii: "[") }
        answer.append("],\"metadata\":{}}")
        return .whole
    }

    /// Writes what the flags of a stretch answer where there is neither a kill switch nor an override.
    ///
    /// - Returns: whether the response is not too large yet.
    private func appendJoined(
        from start: Int, _ request: BulkRequest, _ run: inout EvaluationRun, _ answer: inout ByteBuffer
    ) -> Bool {
        let limit = settings.bulkResponseBytes
        let context = request.context
        let joined = request.ruleSet.joined(from: start, clientSideOnly: request.isClientSideOnly)
        var rest = Evaluation(variant: nil, reason: .default)
        var (matches, splits): (UInt64, UInt64) = (0, 0)
        for piece in joined.pieces {
            answer.append(piece.text)
            piece.flag?._withUnsafeGuaranteedRef { flag in
                guard piece.isOpened else {
                    let evaluation = flag.evaluate(context, killSwitch: nil, override: nil, in: &run)
                    count(evaluation, of: flag, in: request.environment, .ofrep)
                    return answer.append(ofrep: evaluation, of: flag, at: run.now)
                }
                guard let variant = flag.choose(context, in: &run, orElse: &rest) else {
                    count(rest, of: flag, in: request.environment, .ofrep)
                    return answer.append(restOfOFREP: rest, of: flag)
                }
                if flag.isRollout { splits += 1 } else { matches += 1 }
                if flag.needsSurroundings { noteUnknownSegment(of: flag, in: request.environment) }
                answer.append(flag.texts.variants[variant].chosen)
            }
            if answer.count > limit { return false }
        }
        counters.raise(metrics.evaluation(.ofrep, .static), by: joined.constants)
        counters.raise(metrics.evaluation(.ofrep, .targetingMatch), by: matches)
        counters.raise(metrics.evaluation(.ofrep, .split), by: splits)
        return true
    }

    /// Writes what the flags of a stretch answer, each looked up among the kill switches and overrides.
    ///
    /// - Returns: whether the response is not too large yet.
    private func appendEach(
        from start: Int, _ request: BulkRequest, _ run: inout EvaluationRun, _ answer: inout ByteBuffer
    ) -> Bool {
        let limit = settings.bulkResponseBytes
        let context = request.context
        return request.ruleSet.withEntries { entries in
            for entry in entries[start..<min(start + RuleSet.stretch, entries.count)]
            where !request.isClientSideOnly || entry.isClientSide {
                answer.append(byte: UInt8(ascii: ","))
                entry.flag?._withUnsafeGuaranteedRef { flag in
                    var killSwitch: KillSwitchKind?
                    var override: TenantOverride?
                    var key = flag.key
                    key.withUTF8 { key in
                        killSwitch = cache.killSwitch(request.environment, key: UnsafeRawBufferPointer(key))
                        override = request.overrides.override(for: UnsafeRawBufferPointer(key))
                    }
                    let evaluation = flag.evaluate(context, killSwitch: killSwitch, override: override, in: &run)
                    count(evaluation, of: flag, in: request.environment, .ofrep)
                    answer.append(ofrep: evaluation, of: flag, at: run.now)
                }
                if answer.count > limit { return false }
            }
            return true
        }
    }

    /// A response is written as a whole, and waits as a whole for a slow reader.
    private func refuseLargeResponse(_ ruleSet: RuleSet, _ output: inout EvaluationOutput) -> EvaluationResult {
        let limit = settings.bulkResponseBytes
        return fail(
            .init(
                .general,
                "the answer of all \(ruleSet.count) flags takes more than \(limit) bytes (limits.bulk-answer): ask for "
                    + "flags one by one, make their variants smaller, or raise the limit"), nil, 500, &output)
    }
}
