import Administration
import Bytes
import FlagCore
import FlagFiles
import HTTPRouting
import HTTPTransport
import JSON

/// What came of a request for a route, whoever answered it.
struct RouteResponse: Sendable {
    let status: Int
    /// Header fields.
    let fields: [(name: String, value: String)]
    let content: [UInt8]

    init(status: Int, fields: [(name: String, value: String)], content: [UInt8]) {
        self.status = status
        self.fields = fields
        self.content = content
    }

    /// The response of routes in this process.
    init(_ response: HTTPResponse) {
        self.init(status: Int(response.status.code), fields: response.fields, content: response.body)
    }

    /// The response that stands in the last line of one that tells how far the work is; nil for another line.
    init?(line: JSONValue) {
        guard let response = line["response"], let status = response["status"]?.numberValue?.int64 else { return nil }
        let fields = (response["fields"]?.objectValue?.members ?? []).map { name, value in
            (name: name, value: value.stringValue ?? "")
        }
        self.init(
            status: Int(status), fields: Array(fields), content: response["content"]?.serializedBytes() ?? [])
    }

    /// Whether it was done.
    var isSuccess: Bool { (200..<300).contains(status) }

    /// The content as JSON.
    func json() throws(JSONError) -> JSONValue { try JSONValue(parsing: content) }

    /// The value of the first header field called `name`, in any case; nil when there is none.
    func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }

    /// Why it was not done, in the words of whoever did not.
    ///
    /// - Parameter server: who that is; nil where there is only one who it could be.
    func failure(of server: String?) -> CommandFailure {
        let prefix = server.map { "\($0): " } ?? ""
        let problem = try? json()
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
        if let detail = problem?["detail"]?.stringValue { return CommandFailure(prefix + detail) }
        let target = field("Location").map { ", which is elsewhere: \($0)" } ?? ""
        return CommandFailure(
            "\(prefix)answered \(status)\(target); --server must name a flag-server of this version")
    }
}
