import Administration
import HTTPClient
import HTTPRouting
import JSON
import Platform

/// A server that a command reaches over HTTP: over a network, or over a Unix socket.
struct RemoteServer {
    /// What stands before a path.
    private let origin: String
    private let unixSocket: String?
    private let client: HTTPClient
    /// The API key to show; nil for none.
    private let key: String?

    /// Bytes that a response may have: a file.
    private static let responseBytes = 256 << 20
    /// How long a command waits for a response: what takes longer is stopped, since the command leaves.
    private static let timeout = Duration.seconds(3600)
    /// What tells of a file may be long.
    private static let headerBytes = 16 << 20

    /// A server by its address, `http://…`, `https://…` or `unix:PATH`.
    ///
    /// - Parameters:
    ///   - certificateFile: the certificates to trust in place of the system's.
    ///   - key: the API key to show; nil for none.
    init(_ address: String, certificateFile: String?, key: String? = nil) throws(HTTPClientError) {
        if address.hasPrefix(Self.unixPrefix) {
            let path = String(address.dropFirst(Self.unixPrefix.count))
            try self.init(origin: Self.localOrigin, unixSocket: path, certificateFile: nil, key: key)
        } else {
            let origin = String(address.reversed().drop { $0 == "/" }.reversed())
            try self.init(origin: origin, unixSocket: nil, certificateFile: certificateFile, key: key)
        }
    }

    /// A server by the path of its Unix socket.
    init(socket: String) throws(HTTPClientError) {
        try self.init(origin: Self.localOrigin, unixSocket: socket, certificateFile: nil, key: nil)
    }

    private static let localOrigin = "http://localhost"

    private init(
        origin: String, unixSocket: String?, certificateFile: String?, key: String?
    ) throws(HTTPClientError) {
        self.key = key
        self.origin = origin
        self.unixSocket = unixSocket
        var settings = HTTPClientSettings(userAgent: "flag-server/\(FlagServerCommand.version)")
        settings.certificateFile = certificateFile
        settings.timeout = Self.timeout
        settings.responseBytes = Self.responseBytes
        settings.headerBytes = Self.headerBytes
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

    /// Has a request answered. How far long work is, is shown meanwhile on a terminal.
    func answer(_ request: RouteRequest) throws -> RouteResponse {
        let query = request.encodedQuery.map { "?\($0)" } ?? ""
        var message = HTTPClientRequest(request.method.name, "\(origin)\(request.path)\(query)", body: request.body)
        if request.body != nil { message.fields.append(("Content-Type", "application/json")) }
        if request.isLong { message.fields.append(("Accept", "application/jsonl")) }
        if let reason = request.reason { message.fields.append(("\(AdministrationRequest.reasonField)", reason)) }
        if request.isEmergency { message.fields.append(("\(AdministrationRequest.emergencyField)", "true")) }
        if let key { message.fields.append(("Authorization", "Bearer \(key)")) }
        message.unixSocket = unixSocket
        let progress = ProgressLine()
        let lines = Locked(ResponseLines())
        message.onContent = { bytes in
            for line in lines.withLock({ $0.take(bytes) }) where line["work"] != nil { progress.show(line) }
        }
        let response = try client.send(message)
        progress.clear()
        if response.field("Content-Type") == "application/jsonl" {
            guard let last = lines.withLock({ $0.last }), let response = RouteResponse(line: last) else {
                throw CommandFailure("\(name): the response broke off before its end; the server's log says why")
            }
            return response
        }
        return RouteResponse(status: response.status, fields: response.fields, content: response.body)
    }
}

/// The lines of a response that tells how far the work is, each a JSON text.
private struct ResponseLines {
    private var rest: [UInt8] = []
    /// The last whole line.
    private(set) var last: JSONValue?

    /// Adds content.
    ///
    /// - Returns: the lines that are whole now, as far as they are JSON.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [JSONValue] {
        var lines: [JSONValue] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            rest += bytes[start..<end]
            if let line = try? JSONValue(parsing: rest) {
                lines.append(line)
                last = line
            }
            rest = []
            start = end + 1
        }
        rest += bytes[start...]
        return lines
    }
}
