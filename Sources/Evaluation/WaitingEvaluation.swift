import Access
import FlagCore
import HTTPTransport

/// An evaluation that waits for the store or for the loop's time, with a copy of its request.
final class WaitingEvaluation {
    /// From how many loads on flags are looked for among all flags of the environment: that many are enough for flags
    /// that require others of some depth. Who needs more might not find them together in the cache of single flags.
    private static let loadsOfSingleFlags = 8
    /// How often the store is asked before the evaluation is given up.
    static let loadsMaximum = 2 * loadsOfSingleFlags

    let kind: EvaluationKind
    private let caller: Caller
    /// What it is counted under.
    let label: Int
    let answer: DeferredResponse
    /// How often the store was asked.
    var loads = 0
    /// What has been written of the response.
    var unfinished: UnfinishedResponse?
    /// Whether it is the bulk response that is being written.
    var isWriting = false
    /// Since when it waits for other bulk responses, in milliseconds of the monotonic clock.
    var queuedSince: Int64 = 0
    /// Whether it has been postponed.
    var wasPostponed = false
    private let key: [UInt8]
    private let body: [UInt8]
    private let ifNoneMatch: [UInt8]?
    private let environment: Environment?

    init(_ input: EvaluationInput, _ answer: DeferredResponse) {
        kind = input.kind
        caller = input.caller
        label = input.label
        key = Array(input.key)
        body = Array(input.body)
        ifNoneMatch = input.ifNoneMatch.map { Array($0) }
        environment = input.environment
        self.answer = answer
    }

    /// Whether flags are looked for among all flags of the environment.
    var isAmongAll: Bool { loads >= WaitingEvaluation.loadsOfSingleFlags }

    /// Calls `use` with the request's parts.
    func withInput<Result>(_ use: (EvaluationInput) -> Result) -> Result {
        key.withUnsafeBytes { key in
            body.withUnsafeBytes { body in
                guard let ifNoneMatch else { return use(input(key, body, nil)) }
                return ifNoneMatch.withUnsafeBytes { use(input(key, body, $0)) }
            }
        }
    }

    private func input(
        _ key: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ condition: UnsafeRawBufferPointer?
    ) -> EvaluationInput {
        EvaluationInput(
            kind: kind, caller: caller, label: label, key: key, body: body, ifNoneMatch: condition,
            environment: environment,
            unfinished: unfinished, isWriting: isWriting, wasPostponed: wasPostponed)
    }
}
