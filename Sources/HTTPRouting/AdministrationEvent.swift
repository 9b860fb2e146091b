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
    package let method: String
    package let target: String
    /// Who sent it; of a sign-in, who that turned out to be.
    package var principal: String { identity.principal ?? caller }
    private let caller: String
    private let identity: ProvenIdentity
    package let client: String
    /// What names it.
    package let requestID: RequestID
    /// The trace that it belongs to; nil where its client tells of none.
    package let traceID: String?

    /// Characters of a request target that are told at most.
    private static let targetMaximum = 300

    /// What a request says of itself; its content is not told.
    init(_ copy: AdministrationRequest, _ request: borrowing HTTPRequest, _ audit: RoutePolicy.AuditClass) {
        // What is only checked changes nothing.
        kind =
            switch audit {
            case .signIn: .signIn
            case .change where copy.query["dryRun"] != "true": .change
            case .change, .read, .none: .request
            }
        method = String(decoding: request.methodName, as: UTF8.self)
        let query = request.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
        target = Self.target(String(decoding: request.path, as: UTF8.self) + query)
        caller = "\(copy.caller.principal)"
        identity = copy.identity
        client = "\(copy.client)"
        requestID = copy.requestID
        traceID = copy.traceID
    }

    /// A target as it is told: cut off, also where an API key begins that somebody put there.
    private static func target(_ text: String) -> String {
        let told = String(text.prefix(targetMaximum))
        guard let key = told.firstRange(of: "fsk_") else { return told }
        return told[..<key.upperBound] + "…"
    }
}
