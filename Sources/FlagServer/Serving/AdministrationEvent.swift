import Access
import Bytes
import DynamoModel
import HTTPRouting
import HTTPTransport
import Logging

/// An administrative request, as the log tells of it.
struct AdministrationEvent: Sendable {
    /// Whether it may have changed something.
    let isChange: Bool
    private let method: String
    private let target: String
    private let principal: Principal
    private let client: String
    private let requestID: RequestID
    private let traceID: String?

    /// Characters of a request target that are told at most.
    private static let targetMaximum = 300

    /// What a request says of itself; its content is not told.
    init(_ copy: AdministrationRequest, _ request: borrowing HTTPRequest, _ audit: RoutePolicy.AuditClass) {
        // What is only checked changes nothing.
        isChange = audit == .change && copy.query["dryRun"] != "true"
        method = String(decoding: request.methodName, as: UTF8.self)
        let query = request.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
        target = String((String(decoding: request.path, as: UTF8.self) + query).prefix(Self.targetMaximum))
        principal = copy.caller.principal
        client = "\(copy.client)"
        requestID = copy.requestID
        traceID = copy.traceID
    }

    /// How important its end is: changes are what an operator looks for later, what only looks is for finding faults.
    private func level(of status: UInt16) -> Logger.Level {
        if status >= 500 { return .warning }
        if !isChange { return .debug }
        return status < 400 ? .notice : .info
    }

    /// Tells how it ended.
    func report(_ status: UInt16, to logger: Logger) {
        var metadata: Logger.Metadata = [
            "client": "\(client)", "method": "\(method)", "target": "\(target)", "principal": "\(principal)",
            "status": .stringConvertible(Int(status)), "request": "\(requestID)",
        ]
        if let traceID { metadata["trace"] = "\(traceID)" }
        logger.log(level: level(of: status), isChange ? "change" : "request", metadata: metadata)
    }
}
