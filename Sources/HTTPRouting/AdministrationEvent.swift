import Access
import Bytes
import HTTPTransport
import Platform

/// Who turned out to have sent a request, where that is found out while it is done. From any thread.
package final class ProvenIdentity: Sendable {
    private let state = Locked<String?>(nil)

    init() {}

    /// Who it is, as principals are told; nil while nobody knows.
    package var principal: String? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// An administrative request, as the log tells of it.
package struct AdministrationEvent: Sendable {
    /// What a request may have been.
    package enum Kind: String, Sendable {
        /// It only looked.
        case request
        /// It may have changed something.
        case change
        /// Somebody proved who they are, or could not.
        case signIn = "sign-in"
    }

    /// What it may have been.
    package let kind: Kind
    /// What the route is to whoever audits it.
    package let audit: RoutePolicy.AuditClass
    /// The route, by its `operationId` in the API document.
    package let operationID: String
    package let method: String
    package let target: String
    /// Who sent it; of a sign-in, who that turned out to be.
    package var principal: String { identity.principal ?? "\(caller.principal)" }
    /// Who sent it.
    package let caller: Caller
    /// Who they turned out to be.
    package let identity: ProvenIdentity
    package let client: String
    /// What names it.
    package let requestID: RequestID
    /// The trace that it belongs to; nil where its client tells of none.
    package let traceID: String?
    /// Why it was sent, as its sender says.
    package let reason: String?
    /// What the program calls itself that sent it; a bounded part.
    package let userAgent: String?
    /// What kind of credential it shows; nil for none.
    package let proof: String?
    /// Whether it goes on with a list.
    package let isNextPage: Bool

    /// Characters of a request target that are told at most.
    static let targetMaximum = 300

    /// What a request says of itself; its content is not told.
    init(_ copy: AdministrationRequest, _ request: borrowing HTTPRequest, _ route: Route) {
        let query = request.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
        self.init(
            copy, String(decoding: request.methodName, as: UTF8.self),
            String(decoding: request.path, as: UTF8.self) + query, route)
    }

    /// The same for one that came over no connection.
    ///
    /// - Parameters:
    ///   - method: its method.
    ///   - target: its path and query.
    package init(_ copy: AdministrationRequest, _ method: String, _ target: String, _ route: Route) {
        // What is only checked changes nothing.
        let isDryRun = copy.query["dryRun"] == "true"
        audit = isDryRun ? .read : route.policy.audit
        kind =
            switch route.policy.audit {
            case .signIn: .signIn
            case .change where !isDryRun, .work where !isDryRun: .change
            case .change, .work, .read, .watched, .none: .request
            }
        operationID = route.operationID
        self.method = method
        self.target = Self.target(target)
        caller = copy.caller
        identity = copy.identity
        reason = copy.reason
        userAgent = copy.userAgent
        proof = copy.proof
        isNextPage = !(copy.query["cursor"] ?? "").isEmpty
        client = "\(copy.client)"
        requestID = copy.requestID
        traceID = copy.traceID
    }

    /// A target as it is told: cut off, also where an API key begins that somebody put there.
    static func target(_ text: String) -> String {
        let told = String(text.prefix(targetMaximum))
        guard let key = told.firstRange(of: "fsk_") else { return told }
        return told[..<key.upperBound] + "…"
    }
}
