import FlagCore
import HTTPRouting
import JSON

/// The body of `/api/explain`: that of `/api/evaluate`, or one of OFREP with the flag beside its context or in the
/// query.
///
/// Views and slices that live as long as the tape and the body they come from.
struct ExplainBody {
    let flagKey: UnsafeRawBufferPointer
    let environment: Environment
    /// The tenant, nil when there is none.
    let tenantId: UnsafeRawBufferPointer?
    let context: EvaluationContext

    /// What a body of `/api/evaluate` asks.
    init(_ body: EvaluateBody) {
        flagKey = body.flagKey
        environment = body.environment
        tenantId = body.tenantId
        context = EvaluationContext(
            attributes: body.metadata, targetingKey: body.targetingKey, tenantId: body.tenantId)
    }

    /// Members of a body of `/api/evaluate` that say what the context says in one of OFREP.
    private static let own: [StaticString] = ["tenantId", "userId", "metadata"]

    /// Whether a body is one of OFREP.
    static func isOFREP(_ root: JSONView) -> Bool {
        root["context"] != nil || own.allSatisfy { root[$0] == nil }
    }

    /// Reads a body of OFREP.
    ///
    /// - Parameters:
    ///   - flagKey: the flag that the query names.
    ///   - named: the environment that the query names.
    ///   - standard: the environment of a request that names none.
    ///   - boundTenant: the only tenant that it may be about; nil for any.
    ///   - limits: how much the context may hold.
    ///   - bytes: how long the body is.
    /// - Throws: one problem with what is wrong.
    init(
        ofrep root: JSONView, flagKey: UnsafeRawBufferPointer?, named: Environment?, standard: Environment,
        boundTenant: UnsafeRawBufferPointer?, _ limits: ContextLimits, ofBody bytes: Int
    ) throws(Problem) {
        let body: OFREPBody
        do throws(OFREPFailure) {
            body = try OFREPBody(root, beside: ["flagKey", "environment"])
        } catch {
            throw .invalidBody([.init(pointer: "/context", detail: error.details)])
        }
        do throws(ContextLimits.Excess) { try limits.check(body.context, ofBody: bytes) } catch {
            throw .invalidBody([.init(pointer: "/context\(error.pointer)", detail: error.detail)])
        }
        var fields: [Problem.Field] = []
        for name in ExplainBody.own where root[name] != nil {
            fields.append(
                .init(pointer: "/\(name)", detail: "does not go with context, which has targetingKey and tenantId"))
        }
        let given = root["flagKey"]
        let key = given == nil ? flagKey : given?.stringBytes
        if given == nil, flagKey == nil {
            fields.append(.init(pointer: "/flagKey", detail: "is required, here or as ?flagKey=: the key of a flag"))
        } else if let detail = EvaluateBody.problem(ofFlagKey: key) {
            fields.append(.init(pointer: "/flagKey", detail: detail))
        } else if let key, let flagKey, !key.elementsEqual(flagKey) {
            fields.append(.init(pointer: "/flagKey", detail: "is not the flag in the query: leave one of them out"))
        }
        var environment = named ?? standard
        if let value = root["environment"], !value.isNull {
            if let given = value.stringBytes.flatMap({ Environment(spelling: $0) }) {
                if let named, named != given { fields.append(.otherEnvironment(given, query: named)) }
                environment = given
            } else {
                fields.append(.init(pointer: "/environment", detail: "must be \(Environment.spellings)"))
            }
        }
        guard fields.isEmpty, let key else { throw .invalidBody(fields) }
        self.flagKey = key
        self.environment = environment
        if let boundTenant, let named = body.tenantId, !boundTenant.elementsEqual(named) { throw .otherTenant }
        tenantId = boundTenant ?? body.tenantId
        context = EvaluationContext(attributes: body.context, tenantId: boundTenant)
    }
}
