import Access
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension AdministrationRequest {
    /// The flag's key in the path.
    func flagKey() throws(Problem) -> String { try pathText("flagKey", .flagKey) }

    /// The tenant in the path: one that the caller may name.
    func tenantId() throws(Problem) -> String {
        let tenant = try pathText("tenantId", .tenant)
        if let bound = caller.tenant, bound != tenant { throw .otherTenant }
        return tenant
    }

    /// Fails for a caller who is bound to one tenant: what is asked for is of all.
    func requireAnyTenant() throws(Problem) {
        guard caller.tenant == nil else { throw .boundToTenant }
    }

    /// The segment's name in the path.
    func segmentName() throws(Problem) -> String { try pathText("name", .segmentName) }

    private func pathText(_ name: String, _ rule: TextRule) throws(Problem) -> String {
        let text = path[name] ?? ""
        if let complaint = rule.complaint(about: text) {
            throw Problem(.invalidPath, "\(name) in the path \(complaint)")
        }
        return text
    }

    /// Where a list goes on; nil for its first page, also when the parameter is there and empty, as a shell makes it of
    /// an empty variable.
    var cursor: String? { query["cursor"].flatMap { $0.isEmpty ? nil : $0 } }

    /// The environment that the query names, nil when it names none.
    func namedEnvironment() throws(Problem) -> Environment? { try query.environment() }

    /// What there is in the environment that is meant: the query's, else the caller's only one, else the profile's. The
    /// only place where a request comes by it.
    ///
    /// - Throws: 403 for a caller who may not see it.
    func stored(_ administration: Administration) throws(Problem) -> FlagReader {
        let environment = try namedEnvironment() ?? caller.onlyEnvironment ?? administration.defaultEnvironment
        guard let scope = caller.readScope(in: environment) else { throw .forbidden(.read, in: environment) }
        return administration.repository.reader(for: scope)
    }

    /// The leave to change an environment. The only place where a request comes by one.
    ///
    /// - Parameters:
    ///   - reason: why, where the body says so.
    ///   - needed: what whoever sent it must be allowed; nil for what the route says.
    func scope(
        in environment: Environment, _ administration: Administration, because reason: String? = nil,
        needing needed: Permissions? = nil
    ) throws(Problem) -> WriteScope {
        let permissions = needed ?? permissions
        // What is of all tenants is not changed by somebody who is bound to one.
        if permissions != .changeOverrides { try requireAnyTenant() }
        var circumstances = circumstances
        if let reason { circumstances.reason = reason }
        // A kill switch has a reason of its own, and waits for no other.
        if circumstances.reason == nil, permissions != .killSwitches,
            administration.reasonRequired.contains(environment), try !isDryRun
        {
            throw .reasonRequired
        }
        let scope = caller.writeScope(permissions, in: environment, at: administration.now(), circumstances)
        guard let scope else { throw .forbidden(permissions, in: environment) }
        return scope
    }

    /// The leave to do an operation where the query or its body says.
    func scope(of operation: FlagOperation, _ administration: Administration) throws(Problem) -> WriteScope {
        try scope(
            in: try environment(administration, body: operation.bodyEnvironment), administration,
            because: operation.reason)
    }

    /// The operation that the body describes.
    func operation(
        _ kind: FlagOperation.Kind, of name: String? = nil, tenant: String? = nil
    ) throws(Problem) -> FlagOperation {
        let read = { (json: JSONValue?) throws(DefinitionIssues) in
            try FlagOperation(kind, of: name, tenant: tenant, body: json)
        }
        guard kind.takesBody, !(kind.mayLackBody && body.isEmpty) else {
            do throws(DefinitionIssues) { return try read(nil) } catch { throw .invalidBody(error.issues) }
        }
        return try draft { json throws(DefinitionIssues) in try read(json) }
    }

    /// Whether the change is only to be checked.
    var isDryRun: Bool { get throws(Problem) { try flag("dryRun") } }

    /// `true` or `false` in the query; false when it is not there.
    func flag(_ name: String) throws(Problem) -> Bool {
        switch query[name] {
        case nil, "false"?: return false
        case "true"?: return true
        case let text?:
            throw .invalidQuery([.init(pointer: "?\(name)", detail: "must be true or false, not \"\(text)\"")])
        }
    }

    /// The environment of a new thing: the query's, else the body's, else the caller's only one, else the profile's.
    /// Query and body must not differ.
    func environment(_ administration: Administration, body: Environment?) throws(Problem) -> Environment {
        let named = try namedEnvironment()
        if let named, let body, named != body {
            throw .invalidBody([.otherEnvironment(body, query: named)])
        }
        return named ?? body ?? caller.onlyEnvironment ?? administration.defaultEnvironment
    }

    /// How many entries a page has.
    func limit() throws(Problem) -> Int {
        try query.integer("limit", in: 1...FlagLimits.pageSize) ?? FlagLimits.defaultPageSize
    }

    /// A time in the query, nil when it is not there.
    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = query[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw .invalidQuery([
                .init(
                    pointer: "?\(name)",
                    detail: "must be \(Timestamp.expectation), with a + written as %2B, not \"\(text)\"")
            ])
        }
        return time
    }

    /// A text in the query that must satisfy a rule, nil when it is not there.
    func text(_ name: String, _ rule: TextRule) throws(Problem) -> String? {
        guard let text = query[name] else { return nil }
        if let complaint = rule.complaint(about: text) {
            throw .invalidQuery([.init(pointer: "?\(name)", detail: complaint)])
        }
        return text
    }

    /// A draft of the body.
    func draft<Draft>(_ read: (JSONValue) throws(DefinitionIssues) -> Draft) throws(Problem) -> Draft {
        let json = try json()
        do throws(DefinitionIssues) {
            return try read(json)
        } catch {
            throw AdministrationRequest.problem(with: error.issues, in: json)
        }
    }

    /// A body whose only fault is its environment has a code of its own.
    private static func problem(with issues: [DefinitionIssue], in json: JSONValue) -> Problem {
        if issues.count == 1, issues[0].pointer == "/environment", json["environment"]?.stringValue != nil {
            return .unknownEnvironment(issues.map { .init(pointer: $0.pointer, detail: $0.message) })
        }
        return .invalidBody(issues)
    }
}

extension FlagReader {
    /// Reads; what goes wrong becomes a problem.
    func read<Value>(_ body: (FlagReader) throws(FlagStoreError) -> Value) throws(Problem) -> Value {
        do throws(FlagStoreError) { return try body(self) } catch { throw Problem(error, in: environment) }
    }
}

extension HTTPResponse {
    /// A JSON tree as a response.
    static func json(
        _ value: JSONValue, status: HTTPStatus = .ok, fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        .json(value.serializedBytes(), status: status, fields: fields)
    }

    /// A page of a list as a response: `{"<name>": […], "invalid"?: […], "total"?: …, "nextCursor": …}`.
    ///
    /// - Parameters:
    ///   - entries: the entries, as the response tells them.
    ///   - list: where they come from.
    ///   - invalid: what the list lacks because its item is not valid.
    static func page<Record>(
        _ name: String, _ entries: [JSONValue], of list: ListPage<Record>, invalid: [JSONValue] = []
    ) -> HTTPResponse {
        var page: JSONObject = [name: .array(entries)]
        if !invalid.isEmpty { page["invalid"] = .array(invalid) }
        if let total = list.total { page["total"] = .integer(Int64(total)) }
        page["nextCursor"] = list.nextCursor.map { .string($0) } ?? .null
        return .json(.object(page))
    }
}
