import Access
import Bytes
import FlagCache
import FlagCore
import HTTPRouting
import HTTPTransport
import Telemetry

/// Which kind of evaluation a request asks for.
package enum EvaluationKind: Sendable {
    case ofrepFlag
    case ofrepFlags
    case evaluate
    case evaluateBatch
    case explain
}

/// What an evaluation needs of its request; slices that are valid while the request, or its copy, is.
struct EvaluationInput {
    let kind: EvaluationKind
    /// Who asks.
    let caller: Caller
    /// What it is counted under.
    let label: Int
    /// The flag's key as it stands in the path, percent-encoded, or in the query of an explanation, decoded; empty
    /// where neither has one.
    let key: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer
    /// The value of `If-None-Match`; nil also where the client wants the response in any case.
    let ifNoneMatch: UnsafeRawBufferPointer?
    /// The environment that the query names.
    var environment: Environment?
    /// The only tenant that it may be about; nil for any.
    var boundTenant: UnsafeRawBufferPointer?
    /// What has been written of the response in an earlier turn of the loop.
    var unfinished: UnfinishedResponse?
    /// Whether it is this one's turn to be written, of all bulk responses.
    var isWriting = false
    /// Whether it has been postponed already.
    var wasPostponed = false
}

/// What came of trying to answer from the cache.
enum EvaluationResult {
    /// The response is in the output.
    case answered(HTTPStatus)
    /// This is wrong with the request.
    case refused(Problem)
    /// The cache lacks these.
    case missing([CacheKey])
    /// It begins anew when the loop has time again.
    case postponed
    /// It goes on with what has been written when the loop has time again.
    case unfinished(UnfinishedResponse)
    /// It begins when the bulk response is finished that is being written.
    case queued
}

extension Evaluator {
    /// Answers a request of evaluation, now or when what the cache lacks has been loaded.
    ///
    /// - Parameters:
    ///   - kind: which kind of evaluation it asks for.
    ///   - caller: who asks.
    ///   - label: what it is counted under.
    @inline(__always)
    package func answer(
        _ kind: EvaluationKind, of caller: Caller, label: Int, _ request: borrowing HTTPRequest,
        _ parameters: PathParameters,
        _ exchange: inout Exchange
    ) {
        switch kind {
        case .ofrepFlag: serve(kind, caller, label, request, key: parameters.first, &exchange)
        case .ofrepFlags: answerConditionally(kind, caller, label, request, &exchange)
        case .evaluate, .evaluateBatch, .explain: serve(kind, caller, label, request, &exchange)
        }
    }

    private func answerConditionally(
        _ kind: EvaluationKind, _ caller: Caller, _ label: Int, _ request: borrowing HTTPRequest,
        _ exchange: inout Exchange
    ) {
        var fields = 0
        request.forEachField("If-None-Match") { _ in fields += 1 }
        guard fields > 1 else {
            return serve(kind, caller, label, request, ifNoneMatch: request.field("If-None-Match"), &exchange)
        }
        var joined: [UInt8] = []
        request.forEachField("If-None-Match") { joined += [UInt8(ascii: ",")] + $0 }
        joined.withUnsafeBytes { serve(kind, caller, label, request, ifNoneMatch: $0, &exchange) }
    }

    /// Answers an evaluation as its query wants it.
    @inline(__always)
    private func serve(
        _ kind: EvaluationKind, _ caller: Caller, _ label: Int, _ request: borrowing HTTPRequest,
        key: UnsafeRawBufferPointer? = nil, ifNoneMatch: UnsafeRawBufferPointer? = nil, _ exchange: inout Exchange
    ) {
        let input = EvaluationInput(
            kind: kind, caller: caller, label: label, key: key ?? UnsafeRawBufferPointer(start: nil, count: 0),
            body: request.body,
            ifNoneMatch: ifNoneMatch)
        if let query = request.query { serve(input, query, &exchange) } else { serve(input, &exchange) }
    }

    @inline(never)
    private func serve(_ input: EvaluationInput, _ query: UnsafeRawBufferPointer, _ exchange: inout Exchange) {
        do throws(Problem) {
            let query = try EvaluationQuery(query, of: input.kind)
            var flagKey = query.flagKey ?? ""
            flagKey.withUTF8 { flagKey in
                serve(
                    EvaluationInput(
                        kind: input.kind, caller: input.caller, label: input.label,
                        key: input.kind == .explain ? UnsafeRawBufferPointer(flagKey) : input.key,
                        body: input.body, ifNoneMatch: query.wantsContent ? nil : input.ifNoneMatch,
                        environment: query.environment), &exchange)
            }
        } catch {
            send(refuse(error, input, &output), input.label, &exchange)
        }
    }

    /// Answers an evaluation from the cache; what the cache lacks is loaded while the connection, not the loop, waits.
    private func serve(_ input: EvaluationInput, _ exchange: inout Exchange) {
        let result = render(input, &output)
        switch result {
        case .answered, .refused: send(result, input.label, &exchange)
        case .missing, .postponed, .unfinished, .queued:
            wait(result, WaitingEvaluation(input, exchange.deferred()))
        }
    }

    private func render(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        output.reset()
        guard let tenant = input.caller.tenant else { return renderKind(input, &output) }
        return Array(tenant.utf8).withUnsafeBytes { tenant in
            var bound = input
            bound.boundTenant = tenant
            return renderKind(bound, &output)
        }
    }

    @inline(__always)
    private func renderKind(_ input: EvaluationInput, _ output: inout EvaluationOutput) -> EvaluationResult {
        switch input.kind {
        case .ofrepFlag: return renderOFREPFlag(input, &output)
        case .ofrepFlags: return renderOFREPFlags(input, &output)
        case .evaluate: return renderEvaluate(input, &output)
        case .evaluateBatch: return renderEvaluateBatch(input, &output)
        case .explain: return renderExplain(input, &output)
        }
    }

    /// Writes what is in the output to a connection.
    private func send(_ result: EvaluationResult, _ label: Int, _ exchange: inout Exchange) {
        let status: HTTPStatus
        switch result {
        case .answered(let answered): status = answered
        case .refused(let problem):
            requests.count(label, problem.code.status, exchange.elapsedMicroseconds, in: counters)
            return exchange.respond(HTTPResponse(problem, requestID: exchange.requestID))
        case .missing, .postponed, .unfinished, .queued: preconditionFailure("only what is complete is sent")
        }
        let contentType: StaticString? = status == .notModified ? nil : "application/json"
        requests.count(label, status.code, exchange.elapsedMicroseconds, in: counters)
        guard output.tag.count > 0 else {
            return exchange.respond(status, contentType: contentType, body: output.body.readable)
        }
        let tag = output.tag.readable
        exchange.respond(status, contentType: contentType, taking: &output.body) { $0.add("ETag", bytes: tag) }
    }

    /// Tries again when what is missing is here, or when its turn has come.
    ///
    /// `unowned` holds: what is handed to the cache is kept by the cache alone and called by it alone, from `apply` and
    /// `takeTurn`, which this handler calls; and the cache is this handler's own, and goes with it.
    private func wait(_ result: EvaluationResult, _ waiting: WaitingEvaluation) {
        switch result {
        case .missing(let keys):
            let hasAsked = cache.load(keys, amongAll: waiting.isAmongAll, now: loop.monotonicMilliseconds) {
                [unowned self] in retry(waiting)
            }
            if hasAsked { waiting.loads += 1 }
        case .postponed:
            waiting.wasPostponed = true
            cache.wait { [unowned self] in retry(waiting) }
        case .unfinished(let answer):
            waiting.unfinished = answer
            write(waiting)
        case .queued:
            waiting.queuedSince = loop.monotonicMilliseconds
            queued.append(waiting)
        case .answered, .refused: preconditionFailure("what is complete waits for nothing")
        }
    }

    private func retry(_ waiting: WaitingEvaluation) {
        guard loop.awaits(waiting.answer) else { return giveWay(waiting) }
        var result = waiting.withInput { render($0, &output) }
        switch result {
        case .missing where waiting.loads >= WaitingEvaluation.loadsMaximum:
            // What was loaded was pushed out again before it could be used: the cache is too small for the traffic.
            result = waiting.withInput { refuse(.overloaded, $0, &output) }
        case .missing, .postponed, .unfinished, .queued: return wait(result, waiting)
        case .answered, .refused: break
        }
        loop.resume(waiting.answer) { send(result, waiting.label, &$0) }
        giveWay(waiting)
    }

    /// Has a bulk response written when the loop has time, and no other meanwhile.
    private func write(_ waiting: WaitingEvaluation) {
        writing = waiting
        waiting.isWriting = true
        cache.wait { [unowned self] in retry(waiting) }
    }

    /// Lets the next bulk response be written, if this one was.
    private func giveWay(_ waiting: WaitingEvaluation) {
        guard writing === waiting else { return }
        writing = nil
        waiting.isWriting = false
        shedQueued()
        if !queued.isEmpty { write(queued.removeFirst()) }
    }

    /// Refuses bulk responses that have waited longer than requests may: who comes after them would wait as long.
    private func shedQueued() {
        let late = queued.prefix(Evaluator.shedAtOnce).prefix { loop.isLate(since: $0.queuedSince) }
        queued.removeFirst(late.count)
        for waiting in late where loop.awaits(waiting.answer) {
            loop.countShed()
            let result = waiting.withInput { refuse(.overloaded, $0, &output) }
            loop.resume(waiting.answer) { send(result, waiting.label, &$0) }
        }
    }

    /// How many are refused before the next one is written: all of 10,000 would take a turn of their own.
    private static let shedAtOnce = 100

    /// Puts a problem into the output, in OFREP's shape where the request is one of OFREP.
    private func refuse(
        _ problem: Problem, _ input: EvaluationInput, _ output: inout EvaluationOutput
    ) -> EvaluationResult {
        guard input.kind == .ofrepFlag || input.kind == .ofrepFlags else { return .refused(problem) }
        output.reset()
        let failure = OFREPFailure(.general, problem.detail)
        if input.kind == .ofrepFlag, var key = try? PercentEncoding.decoded(input.key) {
            key.withUTF8 { output.body.append(ofrep: failure, key: UnsafeRawBufferPointer($0)) }
        } else {
            output.body.append(ofrep: failure, key: nil)
        }
        return .answered(HTTPStatus(problem.code.status))
    }

    /// Counts an evaluation, and tells of it when it failed.
    @inline(__always)
    func count(
        _ evaluation: Evaluation, of flag: CompiledFlag, in environment: Environment,
        _ interface: EvaluationMetrics.Interface
    ) {
        counters.raise(metrics.evaluation(interface, evaluation.reason))
        if let error = evaluation.error {
            counters.raise(metrics.failure(error.code))
            noteFailure(error, flag.key, environment)
        }
        if flag.needsSurroundings { noteUnknownSegment(of: flag, in: environment) }
    }

    /// Tells of a segment that does not exist, although a rule names it.
    @inline(never)
    func noteUnknownSegment(of flag: CompiledFlag, in environment: Environment) {
        guard let name = surroundings.unknownSegment else { return }
        surroundings.unknownSegment = nil
        counters.raise(metrics.unknownSegment)
        let details = "there is no segment \(name), which the rule names: nobody is in it"
        noteFailure(EvaluationError(code: .general, details: details), flag.key, environment)
    }

    /// What the evaluations of a request share that evaluates `flag` alone.
    @inline(__always)
    func evaluationRun(
        of flag: CompiledFlag, _ environment: Environment, _ overrides: OverridesLookup
    ) -> EvaluationRun {
        guard flag.needsSurroundings else { return EvaluationRun(now: now) }
        return evaluationRun(environment, overrides)
    }

    /// What the evaluations of a request share.
    func evaluationRun(_ environment: Environment, _ overrides: OverridesLookup) -> EvaluationRun {
        surroundings.prepare(environment, overrides, now: loop.monotonicMilliseconds)
        return EvaluationRun(now: now, surroundings: surroundings)
    }
}
