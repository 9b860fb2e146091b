import HTTPTransport

/// The routing table, and what it says of a method and a path.
///
/// The table is searched in order, the busiest routes first; a row is a comparison of bytes and nothing is allocated
/// for a request that has a route.
struct Router: Sendable {
    /// What is to be done with a request.
    enum Match {
        /// This route takes it.
        case route(Route, PathParameters)
        /// The path exists, the method does not; `allow` is the value of the `Allow` field.
        case methodNotAllowed(allow: String)
        /// Nothing is there.
        case notFound
    }

    /// All routes of the program, those of evaluation first.
    static let all = Router(
        OFREPRoutes.routes + EvaluateRoutes.routes + OperationsRoutes.routes + FlagRoutes.routes + SegmentRoutes.routes
            + TenantOverrideRoutes.routes + KillSwitchRoutes.routes + TransferRoutes.routes
            + WorkRoutes.routes)

    /// The methods that some route has, as the value of an `Allow` field.
    static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// The table.
    let routes: [Route]

    /// A router over a table; where several rows match, the first does.
    init(_ routes: [Route]) {
        self.routes = routes
    }

    /// The route of a request. `HEAD` takes the route of `GET`.
    func match(_ method: HTTPMethod, _ path: UnsafeRawBufferPointer) -> Match {
        let wanted = method == .head ? HTTPMethod.get : method
        for route in routes where route.method == wanted {
            if let parameters = route.pattern.match(path) { return .route(route, parameters) }
        }
        return matchOtherMethods(path)
    }

    private func matchOtherMethods(_ path: UnsafeRawBufferPointer) -> Match {
        var methods: [String] = []
        for route in routes where route.pattern.match(path) != nil {
            if route.method == .get { methods.append("HEAD") }
            methods.append(route.methodName)
        }
        guard !methods.isEmpty else { return .notFound }
        return .methodNotAllowed(allow: (methods + ["OPTIONS"]).sorted().joined(separator: ", "))
    }
}
