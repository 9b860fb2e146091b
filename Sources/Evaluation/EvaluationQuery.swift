import FlagCore
import HTTPRouting

/// What the query of an evaluation says, beside its body.
struct EvaluationQuery {
    /// The environment that it names; nil for the profile's.
    var environment: Environment?
    /// Whether the client was told of a change, and wants the response even where it is the one that it has.
    var wantsContent = false
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
            query, allowing: EvaluationQuery.names(of: kind), ignoresOthers: isOFREP)
        environment = try parameters.environment()
        wantsContent = EvaluationQuery.changes.contains { parameters[$0]?.isEmpty == false }
        flagKey = parameters["flagKey"]
        if let complaint = flagKey.flatMap({ TextRule.flagKey.complaint(about: $0) }) {
            throw .invalidQuery([.init(pointer: "?flagKey", detail: complaint)])
        }
    }

    /// The names of the parameters that a kind of evaluation has.
    static func names(of kind: EvaluationKind) -> [String] {
        switch kind {
        case .ofrepFlags: ["environment"] + changes
        case .explain: ["environment", "flagKey"]
        case .ofrepFlag, .evaluate, .evaluateBatch: ["environment"]
        }
    }

    /// What a client says that asks because it was told of a change (OFREP 0.3.0). It has not seen that change yet:
    /// nothing that it knows answers it.
    private static let changes = ["flagConfigEtag", "flagConfigLastModified"]
}
