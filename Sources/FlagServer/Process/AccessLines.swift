import FlagCore
import FlagStore
import HTTPTransport
import Logging

/// Lines of the access log. Made on the event loops, from what the server itself knows: nothing has to be escaped.
struct AccessLines: Sendable {
    let format: ServerConfiguration.Log.Format
    let isForJournal: Bool
    /// The patterns of the routes, by their numbers.
    let routes: [String]

    /// An access log that has its lines written where a log has its own.
    static func log(_ scope: AccessLog.Scope, to log: StandardErrorLog, routes: [String]) -> RaisedAccessLog {
        let lines = AccessLines(format: log.format, isForJournal: log.isForJournal, routes: routes)
        return RaisedAccessLog(scope) { log.output?.write(lines.line($0, at: .systemClock), isOnLoop: true) }
    }

    /// The line of a response, with its end.
    func line(_ record: AccessRecord, at time: Timestamp) -> [UInt8] {
        let route = record.route.flatMap { routes.indices.contains($0) ? routes[$0] : nil }
        let (method, status) = (record.method.map { $0.token ?? "other" }, "\(record.status)")
        let (whole, part) = record.microseconds.quotientAndRemainder(dividingBy: 1000)
        let digits = "\(part)"
        let milliseconds = "\(whole).\(String(repeating: "0", count: 3 - digits.utf8.count))\(digits)"
        var line = isForJournal ? StandardErrorLog.prefix(of: .info) : ""
        switch format {
        case .json:
            line += "{\"time\":\"\(time.rfc3339)\",\"level\":\"info\",\"message\":\"response\""
            if let method { line += ",\"method\":\"\(method)\"" }
            if let route { line += ",\"route\":\"\(route)\"" }
            line += ",\"status\":\(status),\"bytes\":\(record.bytes),\"ms\":\(milliseconds)"
            line += ",\"client\":\"\(record.client)\",\"request\":\"\(record.requestID)\"}\n"
        case .text:
            line += "\(time.rfc3339) INFO     response"
            if let method { line += " method=\(method)" }
            if let route { line += " route=\(route)" }
            line += " status=\(status) bytes=\(record.bytes) ms=\(milliseconds)"
            line += " client=\(record.client) request=\(record.requestID)\n"
        }
        return Array(line.utf8)
    }
}
