import Access
import Bytes
import FlagCore
import HTTPTransport
import JSON

/// A copy of what an administrative route needs of a request, so that it can be worked on away from the event loop.
package struct AdministrationRequest: Sendable {
    /// The path's parameters by their names, decoded.
    package let path: [String: String]
    /// The query's parameters, each known to the route.
    package let query: QueryParameters
    /// `If-Match`, as it came; several fields joined.
    package private(set) var ifMatch: String?
    /// `If-None-Match`, as it came; several fields joined.
    package private(set) var ifNoneMatch: String?
    /// Who sent it.
    package let caller: Caller
    /// Why, as whoever sent it says in the field `X-Change-Reason`.
    package private(set) var reason: String?
    /// Whether whoever sent it says in the field `X-Change-Emergency` that the change cannot wait for anybody.
    package var isEmergency = false
    /// `Accept`, as it came; several fields joined.
    package private(set) var accept: String?
    /// What the program calls itself that sent it; a bounded part.
    package private(set) var userAgent: String?
    /// What kind of credential it shows: `key`, `token`, `session`; nil for none.
    package private(set) var proof: String?
    /// Who they turn out to be, for routes that find that out.
    package let identity = ProvenIdentity()
    /// What the route needs whoever sent it to be allowed.
    package let permissions: Permissions
    /// What names it.
    package let requestID: RequestID
    /// The trace that it belongs to; nil when its client tells of none.
    package private(set) var traceID: String?
    /// Whether somebody still waits for the response. From any thread.
    package var isAwaited: @Sendable () -> Bool = { true }
    /// Takes what says how far the work is, for clients that want to know; nil where none does.
    package var follow: (@Sendable (@escaping @Sendable () -> JSONValue) -> Void)?
    /// Where it comes from.
    package let client: PeerAddress
    /// What it shows, for routes that look at that by themselves.
    package private(set) var credentials = OwnCredentials.none
    /// The content, as it came until it has been decoded.
    package private(set) var body: [UInt8]
    /// What the content is coded with.
    private var coding = ContentCoding.identity
    /// What a content could be, as JSON text.
    private let example: String?

    /// Copies what `route` needs.
    ///
    /// - Parameters:
    ///   - caller: who sent it.
    ///   - client: where it comes from.
    ///   - requestID: what it is called.
    ///   - isSecure: whether it came over TLS.
    /// - Throws: a problem when a part of the path or the query cannot be read, or when the body is of a media type
    ///   that cannot be JSON.
    package init(
        _ request: borrowing HTTPRequest, _ parameters: PathParameters, of caller: Caller, from client: PeerAddress,
        named requestID: RequestID, isSecure: Bool, for route: Route
    ) throws(Problem) {
        try self.init(
            parameters, request.query, Array(request.body), of: caller, from: client, named: requestID, for: route)
        traceID = request.field("traceparent").flatMap(TraceParent.traceID)
        ifMatch = request.joinedField("If-Match")
        ifNoneMatch = request.joinedField("If-None-Match")
        try give(reason: request.joinedField(Self.reasonField))
        isEmergency = try Self.isEmergency(request.joinedField(Self.emergencyField))
        accept = request.joinedField("Accept")
        userAgent = Self.userAgent(of: request)
        proof = Credential.proof(of: request)
        if route.policy.readsCredentials { credentials = OwnCredentials(request, isSecure: isSecure) }
        guard let body = route.operation.body, !request.body.isEmpty else { return }
        try MediaType.require(request.field("Content-Type"), for: route, body)
        coding = request.contentCoding
    }

    /// A request that came over no connection.
    ///
    /// - Parameters:
    ///   - parameters: what the route's pattern found in the path.
    ///   - query: what stands behind the path's `?`; nil without one.
    ///   - body: the content, as it is.
    package init(
        _ parameters: PathParameters, _ query: UnsafeRawBufferPointer?, _ body: [UInt8], of caller: Caller,
        from client: PeerAddress, named requestID: RequestID, for route: Route
    ) throws(Problem) {
        self.caller = caller
        permissions = route.policy.access.permissions
        self.requestID = requestID
        self.client = client
        var path: [String: String] = [:]
        for (name, slice) in zip(route.pattern.parameterNames, parameters.all) {
            guard let slice else { continue }
            do throws(PercentEncoding.Failure) {
                path[name] = try PercentEncoding.decoded(slice)
            } catch {
                throw Problem(.invalidPath, "\(name) in the path cannot be decoded: \(error.description)")
            }
        }
        self.path = path
        self.query = try QueryParameters(query, allowing: route.operation.queryNames)
        self.body = body
        example = route.operation.body?.example
    }

    /// The field that says why something is changed.
    package static let reasonField: StaticString = "X-Change-Reason"
    /// The field that says that a change cannot wait for anybody.
    package static let emergencyField: StaticString = "X-Change-Emergency"

    private static func isEmergency(_ text: String?) throws(Problem) -> Bool {
        switch text {
        // Empty is what scripts make of a variable that is not set.
        case nil, ""?, "false"?: return false
        case "true"?: return true
        case .some: throw Problem(.invalidRequest, "\(Self.emergencyField) must be true or false")
        }
    }

    /// Bytes that are kept of what a program calls itself.
    private static let userAgentBytes = 256

    /// What the program calls itself that sent a request; a bounded part.
    static func userAgent(of request: borrowing HTTPRequest) -> String? {
        request.field("User-Agent").flatMap { bytes in
            bytes.isEmpty ? nil : String(decoding: bytes.prefix(userAgentBytes), as: UTF8.self)
        }
    }

    /// Says why it is sent.
    ///
    /// - Throws: what is wrong with the reason.
    package mutating func give(reason: String?) throws(Problem) {
        // Empty is what scripts make of a variable that is not set.
        guard let reason, !reason.isEmpty else { return }
        if let complaint = TextRule.reason.complaint(about: reason) {
            throw Problem(.invalidRequest, "the reason in \(Self.reasonField) \(complaint)")
        }
        self.reason = reason
    }

    /// Who sent it, for people: the principal and the address.
    package var clientName: String { "\(caller.principal) from \(client)" }

    /// Decodes the content. O(content): not on a loop.
    ///
    /// - Parameter limit: how many bytes it may have.
    package mutating func decode(atMost limit: Int) throws(Problem) {
        if coding == .identity { return }
        body = try body.withUnsafeBufferPointer { (content) throws(Problem) in
            try CodedContent.decoded(UnsafeRawBufferPointer(content), coding, atMost: limit)
        }
    }

    /// The body as JSON.
    package func json() throws(Problem) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: body)
        } catch {
            throw Problem.invalidJSON(error, isEmpty: body.isEmpty, example: example)
        }
    }
}

/// What the Content-Type field says, as far as it matters here.
package enum MediaType {
    /// The formats that say how something is to be changed (RFC 7396, RFC 6902): read as a whole they would mean
    /// something else.
    private static let changes = ["application/merge-patch+json", "application/json-patch+json"]

    /// The formats of every PATCH, as the value of an `Accept-Patch` field (RFC 5789 section 3.1).
    package static let ofChanges = OpenAPIOperation.changeTypes.joined(separator: ", ")

    /// What forms are sent as, and what `curl -d` calls everything.
    static let form = "application/x-www-form-urlencoded"

    /// The media type that a field names, in small letters and without parameters.
    static func name(in field: UnsafeRawBufferPointer) -> String {
        String(decoding: field, as: UTF8.self).prefix { $0 != ";" }.lowercased().trimmingSpaces()
    }

    /// Accepts the media types of the route, a request that names no type, and the type that `curl -d` gives to
    /// everything, which `BrowserOrigin` makes safe; where something is sent as a whole, also any other `…+json`
    /// (RFC 6839 section 3.1). Anything else is a problem.
    package static func require(_ field: UnsafeRawBufferPointer?, for route: Route, _ body: OpenAPIOperation.Body)
        throws(Problem)
    {
        guard let field, !field.isEmpty else { return }
        let type = name(in: field)
        if body.mediaTypes.contains(type) || type == form { return }
        if route.method != .patch, type.hasSuffix("+json"), !changes.contains(type) { return }
        let types = body.mediaTypes.joined(separator: ", ")
        throw Problem(
            .unsupportedMediaType,
            "the body must be JSON, not \(type); send the header Content-Type: \(body.mediaTypes[0])",
            headerFields: [route.method == .patch ? ("Accept-Patch", ofChanges) : ("Accept", types)])
    }
}

extension String {
    /// The text without spaces and tabs at its ends.
    fileprivate func trimmingSpaces() -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let tail = drop(while: isBlank)
        guard let last = tail.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(tail[...last])
    }
}

extension HTTPRequest {
    /// The values of all fields with a name, as one list (RFC 9110 section 5.3); nil when there is none.
    fileprivate borrowing func joinedField(_ name: StaticString) -> String? {
        var values: [String] = []
        forEachField(name) { values.append(String(decoding: $0, as: UTF8.self)) }
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

extension Problem {
    /// A body that is not JSON.
    ///
    /// - Parameter example: what to send in place of nothing, as JSON text.
    package static func invalidJSON(_ error: JSONError, isEmpty: Bool, example: String? = nil) -> Problem {
        let advice = "the body is empty; send a JSON object" + (example.map { " such as \($0)" } ?? "")
        return Problem(.invalidJSON, isEmpty ? advice : "the body is not JSON: \(error)")
    }
}
