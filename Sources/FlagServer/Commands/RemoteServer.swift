import Administration
import FlagCore
import FlagFiles
import FlagStore
import HTTPClient
import HTTPRouting
import JSON

/// A server that a command reaches over HTTP, with the messages that the command would have by itself.
struct RemoteServer {
    /// What stands before a path.
    private let origin: String
    private let unixSocket: String?
    private let client: HTTPClient

    /// Bytes of a file that a server may send.
    private static let answerBytes = ControlChannel.maximumPayloadBytes

    /// A server by its address, `http://…`, `https://…` or `unix:PATH`.
    ///
    /// - Parameter certificateFile: the certificates to trust in place of the system's.
    init(_ address: String, certificateFile: String?) throws(HTTPClientError) {
        if address.hasPrefix(Self.unixPrefix) {
            origin = "http://localhost"
            unixSocket = String(address.dropFirst(Self.unixPrefix.count))
        } else {
            origin = String(address.reversed().drop { $0 == "/" }.reversed())
            unixSocket = nil
        }
        var settings = HTTPClientSettings(userAgent: "flag-server/\(FlagServerCommand.version)")
        settings.certificateFile = certificateFile
        settings.timeout = FlagTransfer.uploadTime + FlagTransfer.workTime
        settings.answerBytes = Self.answerBytes
        client = try HTTPClient(settings)
    }

    private static let unixPrefix = "unix:"

    /// The server, for people: without what may be secret of its address.
    var name: String {
        var message = HTTPClientRequest("GET", origin)
        message.unixSocket = unixSocket
        return message.server
    }

    /// What is wrong with an address, so that it completes the sentence "--server …"; nil when nothing is.
    static func fault(in address: String) -> String? {
        if address.hasPrefix(unixPrefix) {
            return address.hasPrefix("unix:/") ? nil : "must have an absolute path behind unix:"
        }
        let scheme = address.prefix { $0 != ":" }.lowercased()
        guard ["http", "https"].contains(scheme), address.dropFirst(scheme.count).hasPrefix("://") else {
            return "must be http://HOST:PORT, https://HOST:PORT or unix:PATH"
        }
        return address.contains { $0 == "?" || $0 == "#" } ? "must end before any ? and #" : nil
    }

    /// Has a file imported.
    func run(_ request: ImportRequest) throws -> ImportReport {
        var query = ["mode=\(request.mode.rawValue)", "dryRun=\(request.isDryRun)"]
        query.append("keepInvalid=\(request.keepsInvalid)")
        if let environment = request.environment { query.append("environment=\(environment.rawValue)") }
        var message = HTTPClientRequest(
            "POST", "\(origin)/api/import?\(query.joined(separator: "&"))",
            fields: [("Content-Type", "application/json")], body: request.file)
        message.unixSocket = unixSocket
        do {
            return try ImportReport(JSONValue(parsing: try ask(message).body))
        } catch let error as HTTPClientError where error.mayHaveArrived && !request.isDryRun {
            throw CommandFailure(
                "\(error); it may have been imported all the same, and importing it again does no harm")
        }
    }

    /// Has an environment exported.
    ///
    func run(_ request: ExportRequest) throws -> ExportedFile {
        let environment = request.environment.map { "&environment=\($0.rawValue)" } ?? ""
        var message = HTTPClientRequest("GET", "\(origin)/api/export?format=\(request.format.rawValue)\(environment)")
        message.unixSocket = unixSocket
        let answer = try ask(message)
        return ExportedFile(
            bytes: answer.body, leftOut: ExportedFile.lines(inField: answer.field(ExportedFile.fieldName)))
    }

    /// Has long work listed or stopped.
    func run(_ request: WorkRequest) throws -> JSONValue {
        var message =
            switch request {
            case .list: HTTPClientRequest("GET", "\(origin)/api/work")
            case .cancel(let id):
                HTTPClientRequest("DELETE", "\(origin)/api/work/\(PercentEncoding.encodedSegment(id))")
            }
        message.unixSocket = unixSocket
        return try JSONValue(parsing: try ask(message).body)
    }

    private func ask(_ message: HTTPClientRequest) throws -> HTTPClientResponse {
        let answer = try client.send(message)
        guard answer.status == 200 || answer.status == 202 else { throw Self.failure(message, answer) }
        return answer
    }

    /// Why a server did not do it, in the words of whoever does it.
    private static func failure(_ message: HTTPClientRequest, _ answer: HTTPClientResponse) -> CommandFailure {
        let problem = try? JSONValue(parsing: answer.body)
        let issues = (problem?["errors"]?.arrayValue ?? []).compactMap { entry -> DefinitionIssue? in
            guard let pointer = entry["pointer"]?.stringValue, let detail = entry["detail"]?.stringValue else {
                return nil
            }
            return DefinitionIssue(pointer: pointer, message: detail)
        }
        // Those about the query are no mistakes of a file.
        if !issues.isEmpty, !issues.contains(where: { $0.pointer.hasPrefix("?") }) {
            return CommandFailure(FlagTransfer.list(issues))
        }
        if let detail = problem?["detail"]?.stringValue { return CommandFailure("\(message.server): \(detail)") }
        let target = answer.field("Location").map { ", which is elsewhere: \($0)" } ?? ""
        return CommandFailure(
            "\(message.server): answered \(answer.status)\(target); --server must name a flag-server of this version")
    }
}
