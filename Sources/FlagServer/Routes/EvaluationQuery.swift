import FlagCore
import FlagStore

/// What the query of an evaluation says, beside its body.
struct EvaluationQuery {
    /// The environment that it names; nil for the profile's.
    var environment: Environment?
    /// Whether the client was told of a change, and wants the answer even where it is the one that it has.
    var wantsAnswer = false
    /// The flag that is to be explained.
    var flagKey: String?

    /// A request without a query.
    init() {}

    /// Reads a query.
    ///
    /// - Throws: what is wrong with it; parameters that OFREP does not have are nothing wrong there.
    init(_ query: UnsafeRawBufferPointer, of kind: EvaluationKind) throws(Problem) {
        let isOFREP = kind == .ofrepFlag || kind == .ofrepFlags
        let parameters = try QueryParameters(
            query, allowing: EvaluationQuery.parameters(of: kind).map(\.name), ignoresOthers: isOFREP)
        environment = try parameters.environment()
        wantsAnswer = EvaluationQuery.changes.contains { parameters[$0.name]?.isEmpty == false }
        flagKey = parameters["flagKey"]
        if let complaint = flagKey.flatMap({ TextRule.flagKey.complaint(about: $0) }) {
            throw .invalidQuery([.init(pointer: "?flagKey", detail: complaint)])
        }
    }

    /// The parameters that a kind of evaluation has.
    static func parameters(of kind: EvaluationKind) -> [Operation.Parameter] {
        switch kind {
        case .ofrepFlags: [.environment] + changes
        case .explain: [.environment, flag]
        case .ofrepFlag, .evaluate, .evaluateBatch: [.environment]
        }
    }

    /// What a client says that asks because it was told of a change (OFREP 0.3.0). It has not seen that change yet:
    /// nothing that it knows answers it.
    private static let changes: [Operation.Parameter] = [
        .init(name: "flagConfigEtag", meaning: "The ETag that came with the notice of a change; then there is no 304."),
        .init(
            name: "flagConfigLastModified",
            meaning: "The time that came with the notice of a change, seconds or RFC 3339; then there is no 304."),
    ]

    private static let flag = Operation.Parameter(
        name: "flagKey", meaning: "The flag, where the body does not name it.",
        schema: ##"{"$ref":"#/components/schemas/FlagKey"}"##)
}
