import HTTPTransport

/// The routing table, and what it says of a method and a path.
///
/// The table is searched in order, the busiest routes first; a row is a comparison of bytes and nothing is allocated
/// for a request that has a route.
package struct Router: Sendable {
    /// What is to be done with a request.
    package enum Match {
        /// This route takes it.
        case route(Route, PathParameters)
        /// The path exists, the method does not; `allow` is the value of the `Allow` field.
        case methodNotAllowed(allow: String)
        /// Nothing is there.
        case notFound
    }

    /// The methods that some route has, as the value of an `Allow` field.
    package static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// The label of requests that no route takes, or that are refused before one is asked.
    package static let noRoute = "none"

    /// The table.
    package let routes: [Route]
    /// What requests are counted under, each once; the last is `noRoute`.
    package let labels: [String]

    /// A router over a table; where several rows match, the first does.
    ///
    /// - Parameters:
    ///   - table: the routes, in the order in which they are looked through.
    ///   - document: what describes each of them. A route that it lacks, or has elsewhere, is a mistake in the program
    ///     and stops it.
    ///   - labels: what requests are counted under, where that is shared with other tables.
    package init(_ table: [RouteDeclaration], describedBy document: APIDocument, labels: [String]? = nil) {
        let labels = labels ?? Router.labels(of: table)
        self.labels = labels
        routes = table.enumerated().map { number, declaration in
            Route(
                declaration, number: number, label: labels.firstIndex(of: declaration.policy.label) ?? labels.count - 1,
                document.operation(of: declaration))
        }
    }

    /// What the requests of a table are counted under, each once; the last is for those that no route takes.
    package static func labels(of table: [RouteDeclaration]) -> [String] {
        var labels: [String] = []
        for declaration in table where !labels.contains(declaration.policy.label) {
            labels.append(declaration.policy.label)
        }
        return labels + [noRoute]
    }

    /// The number of the label of requests that no route takes.
    package var noLabel: Int { labels.count - 1 }

    /// The route of a request. `HEAD` takes the route of `GET`.
    package func match(_ method: HTTPMethod, _ path: UnsafeRawBufferPointer) -> Match {
        let wanted = method == .head ? HTTPMethod.get : method
        for route in routes where route.method == wanted {
            if let parameters = route.pattern.match(path) { return .route(route, parameters) }
        }
        return matchOtherMethods(path)
    }

    /// The methods by which pages of listed origins may call a path, as a list; nil for none.
    func methodsForListedPages(at path: UnsafeRawBufferPointer) -> String? {
        let routes = routes.filter { $0.policy.isForListedPages && $0.pattern.match(path) != nil }
        return routes.isEmpty ? nil : routes.map(\.methodName).joined(separator: ", ")
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
