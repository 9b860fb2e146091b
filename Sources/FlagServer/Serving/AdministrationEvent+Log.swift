import Bytes
import HTTPRouting
import Logging

extension AdministrationEvent {
    /// How important its end is: changes are what an operator looks for later, what only looks is for finding faults.
    private func level(of status: UInt16) -> Logger.Level {
        if status >= 500 { return .warning }
        if kind == .request { return .debug }
        return status < 400 ? .notice : .info
    }

    /// Tells how it ended.
    func report(_ status: UInt16, to logger: Logger) {
        var metadata: Logger.Metadata = [
            "client": "\(client)", "method": "\(method)", "target": "\(target)", "principal": "\(principal)",
            "status": .stringConvertible(Int(status)), "request": "\(requestID)",
        ]
        if let traceID { metadata["trace"] = "\(traceID)" }
        logger.log(level: level(of: status), "\(kind.rawValue)", metadata: metadata)
    }
}
