import HTTPTransport

/// One row of the routing table: what a method and a path do, how that is documented and how it is counted.
///
/// A class so that the hot path holds a row by one reference instead of copying it.
final class Route: Sendable {
    /// How a request is answered.
    enum Action: Sendable {
        /// At once, on the event loop: must not block, must not allocate when it is on the hot path.
        case onLoop(@Sendable (LoopHandler, borrowing HTTPRequest, PathParameters, inout Exchange) -> Void)
        /// On a worker queue, with a copy of the request: may block. What it throws is the answer; else it answers
        /// through the reply, now or later.
        case onWorker(@Sendable (AdministrationRequest, FlagService, Reply) throws(Problem) -> Void)
    }

    let method: HTTPMethod
    let pattern: PathPattern
    let group: RouteGroup
    let operation: Operation
    let action: Action

    /// A row of the table.
    init(
        _ method: HTTPMethod, _ pattern: StaticString, in group: RouteGroup, _ operation: Operation, _ action: Action
    ) {
        self.method = method
        self.pattern = PathPattern(pattern)
        self.group = group
        self.operation = operation
        self.action = action
    }

    /// Whether pages of other sites may have a browser ask for it: what they cannot read does them no good. What
    /// changes something, or costs something and is counted, is for our own pages and programs.
    var isForEveryPage: Bool { method == .get || method == .head }

    /// How soon its work must be done.
    var urgency: WorkerPool.Urgency {
        switch group {
        case .killSwitch: .urgent
        case .transfer: .long
        default: .usual
        }
    }

    /// How long its answer may take; nil for the usual time.
    var answerTime: Duration? { group == .transfer ? FlagTransfer.workTime : nil }

    /// How large its content may be, when it may be larger than that of others.
    var upload: HTTPUpload? {
        operation.body?.uploadBytes.map { HTTPUpload(path: pattern.text, bytes: $0, time: FlagTransfer.uploadTime) }
    }

    /// The failures that a route can have because of what it is, not of what it does.
    var impliedProblems: [ProblemCode] {
        var codes: [ProblemCode] = []
        if group != .health { codes.append(.unauthorized) }
        codes.append(.misdirectedRequest)
        if !isForEveryPage { codes.append(.foreignOrigin) }
        if operation.body != nil { codes += [.contentTooLarge, .unsupportedCoding, .invalidRequest] }
        guard case .onWorker = action else { return codes }
        codes += [.storeUnavailable, .overloaded, .internalError]
        if !pattern.parameterNames.isEmpty { codes.append(.invalidPath) }
        if operation.query.contains(where: { $0.name == "environment" }) { codes.append(.unknownEnvironment) }
        codes.append(.invalidQuery)
        if operation.body != nil { codes += [.invalidJSON, .invalidBody, .unsupportedMediaType] }
        return codes
    }
}

/// The routes that are counted and documented together.
enum RouteGroup: String, CaseIterable, Sendable {
    case ofrepFlag = "ofrep_flag"
    case ofrepFlags = "ofrep_flags"
    case evaluate
    case evaluateBatch = "evaluate_batch"
    case explain
    case flags
    case segments
    case tenantOverrides = "tenant_overrides"
    case killSwitch = "kill_switch"
    case transfer
    case work
    case health
    case metrics
    case openAPI = "openapi"
    /// Requests that no route takes.
    case none

    /// The tag in the OpenAPI document.
    var tag: String {
        switch self {
        case .ofrepFlag, .ofrepFlags: "OFREP"
        case .evaluate, .evaluateBatch, .explain: "Evaluation"
        case .flags: "Flags"
        case .segments: "Segments"
        case .tenantOverrides: "Tenant overrides"
        case .killSwitch: "Kill switches"
        case .transfer: "Files"
        case .work, .health, .metrics, .openAPI, .none: "Operations"
        }
    }
}

extension Route {
    /// The method's name, as it stands in requests and in `Allow`.
    var methodName: String {
        switch method {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: preconditionFailure("a route has a method with a name")
        }
    }
}

extension PathPattern {
    /// The pattern as OpenAPI writes it: without the dots of a rest parameter.
    var openAPIPath: String {
        let path = text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        guard takesRest else { return path }
        return String(path.dropLast(4)) + "}"
    }
}
