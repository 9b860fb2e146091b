import Access
import Bytes
import HTTPTransport

/// An administrative request, as the log tells of it.
package struct AdministrationEvent: Sendable {
    /// Whether it may have changed something.
    package let isChange: Bool
    package let method: String
    package let target: String
    package let principal: String
    package let client: String
    package let requestID: RequestID
    package let traceID: String?

    /// Characters of a request target that are told at most.
    private static let targetMaximum = 300

    /// What a request says of itself; its content is not told.
    init(_ copy: AdministrationRequest, _ request: borrowing HTTPRequest, _ audit: RoutePolicy.AuditClass) {
        // What is only checked changes nothing.
        isChange = audit == .change && copy.query["dryRun"] != "true"
        method = String(decoding: request.methodName, as: UTF8.self)
        let query = request.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
        target = Self.target(String(decoding: request.path, as: UTF8.self) + query)
        principal = "\(copy.caller.principal)"
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
