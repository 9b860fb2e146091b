import Foundation
import JSON
import TestSupport
import Testing

@testable import Access
@testable import Evaluation
@testable import FlagServer
@testable import HTTPRouting

@Suite("OpenAPI document")
struct OpenAPIDocumentTests {
    private let document: JSONValue

    init() throws {
        document = try JSONValue(parsing: APIDocument.ofProgram(version: "1.2.3").text)
    }

    @Test("The document is OpenAPI 3.1 with every route of the routing table, and no other")
    func complete() throws {
        #expect(document["openapi"] == "3.1.0")
        #expect(document["info"]?["version"] == "1.2.3")
        var described: Set<String> = []
        for (path, item) in document["paths"]?.objectValue?.members ?? [] {
            for (method, _) in item.objectValue?.members ?? [] where method != "parameters" {
                described.insert("\(method.uppercased()) \(path)")
            }
        }
        #expect(described == Set(ServedRoutes.declarations.map { "\($0.method.name) \($0.pattern.openAPIPath)" }))
        #expect(described.count == ServedRoutes.declarations.count)
    }

    @Test(
        "The design's routes are all there",
        arguments: [
            "POST /ofrep/v1/evaluate/flags/{key}", "POST /ofrep/v1/evaluate/flags", "POST /api/evaluate",
            "POST /api/evaluate/batch", "POST /api/explain", "GET /api/flags", "POST /api/flags",
            "GET /api/flags/{flagKey}", "GET /api/flags/{flagKey}/dependents",
            "PUT /api/flags/{flagKey}", "PATCH /api/flags/{flagKey}", "DELETE /api/flags/{flagKey}",
            "PUT /api/flags/by-key/{flagKey}", "GET /api/flags/{flagKey}/tenants", "GET /api/tenants/{tenantId}/flags",
            "GET /api/tenants/{tenantId}/flags/{flagKey}", "PUT /api/tenants/{tenantId}/flags/{flagKey}",
            "DELETE /api/tenants/{tenantId}/flags/{flagKey}", "GET /api/emergency/kill-switch",
            "POST /api/emergency/kill-switch", "DELETE /api/emergency/kill-switch",
            "POST /api/emergency/kill-switch/deactivate", "GET /health", "GET /health/live",
            "GET /health/ready", "POST /api/import", "GET /api/export", "GET /metrics", "GET /openapi.json",
        ])
    func designed(route: String) {
        #expect(ServedRoutes.declarations.contains { "\($0.method.name) \($0.pattern.openAPIPath)" == route })
    }

    @Test("A change for another version is 412 with the tag there is", arguments: ["put", "patch", "delete"])
    func versionMismatch(method: String) {
        let answer = resolved(document["paths"]?["/api/flags/{flagKey}"]?[method]?["responses"]?["412"])
        #expect(answer?["headers"]?["ETag"] != nil)
        #expect(answer?["content"]?["application/problem+json"] != nil)
    }

    @Test("What a flag may have as null is null in the schema too")
    func nulls() {
        let flag = document["components"]?["schemas"]?["Flag"]?["properties"]
        for name in ["defaultVariant", "targeting", "metadata"] {
            let types = flag?[name]?["type"]?.arrayValue ?? flag?[name]?["anyOf"]?.arrayValue?.compactMap { $0["type"] }
            #expect(types?.contains("null") == true, "\(name)")
        }
    }

    @Test("Every operation has an id of its own, a summary, a tag that exists, and answers for success and failure")
    func operations() throws {
        let tags = document["tags"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        var ids: Set<String> = []
        try forEachOperation { name, operation in
            let id = try #require(operation["operationId"]?.stringValue)
            #expect(ids.insert(id).inserted, "\(name)")
            #expect(operation["summary"]?.stringValue?.isEmpty == false, "\(name)")
            #expect(
                operation["tags"]?.arrayValue?.allSatisfy { tags.contains($0.stringValue ?? "") } == true, "\(name)")
            let statuses = operation["responses"]?.objectValue?.keys ?? []
            #expect(statuses.contains { $0.hasPrefix("2") }, "\(name)")
            #expect(statuses.contains("default"), "\(name)")
            if !name.contains("/health"), !name.contains("/.well-known/") {
                #expect(statuses.contains("401"), "\(name)")
            }
            if operation["requestBody"] != nil {
                #expect(statuses.contains("413") && statuses.contains("400"), "\(name)")
            }
            for (status, response) in operation["responses"]?.objectValue?.members ?? [] where status != "default" {
                let answer = try #require(resolved(response))
                #expect(answer["description"]?.stringValue?.isEmpty == false, "\(name) \(status)")
                let hasBody = answer["content"] != nil
                #expect(hasBody != ["204", "304"].contains(status), "\(name) \(status)")
            }
        }
    }

    @Test("Every parameter of a path is described, and every reference leads somewhere")
    func references() throws {
        for (path, item) in document["paths"]?.objectValue?.members ?? [] {
            let named = item["parameters"]?.arrayValue?.compactMap { $0["$ref"]?.stringValue } ?? []
            let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }
            #expect(named == inPath.map { "#/components/parameters/\($0)" })
        }
        var references: Set<String> = []
        collect(document, &references)
        #expect(references.count > 20)
        for reference in references {
            let steps = reference.split(separator: "/").dropFirst()
            let target = steps.reduce(document as JSONValue?) { value, step in value?[String(step)] }
            #expect(target != nil, "\(reference) leads nowhere")
        }
        // And none is left that nobody refers to.
        for kind in ["schemas", "responses", "parameters"] {
            for (name, _) in document["components"]?[kind]?.objectValue?.members ?? [] {
                #expect(references.contains("#/components/\(kind)/\(name)"), "\(name) is not used")
            }
        }
    }

    @Test("The example of each body is JSON with the members that its schema requires")
    func examples() throws {
        try forEachOperation { name, operation in
            guard let content = operation["requestBody"]?["content"]?["application/json"] else { return }
            let schema = try #require(content["schema"]?["$ref"]?.stringValue?.split(separator: "/").last)
            let definition = try #require(document["components"]?["schemas"]?[String(schema)])
            let example = try #require(content["example"]?.objectValue)
            for required in definition["required"]?.arrayValue ?? [] {
                #expect(example[required.stringValue ?? ""] != nil, "\(name) lacks \(required)")
            }
            guard definition["additionalProperties"] == false else { return }
            for key in example.keys { #expect(definition["properties"]?[key] != nil, "\(name) has \(key)") }
        }
    }

    /// What a request can be refused for because of what its route is.
    private func implied(by route: Route) -> [ProblemCode] {
        var codes: [ProblemCode] = [.misdirectedRequest]
        if route.policy.access != .open { codes += [.unauthorized, .forbidden, .tooManyRequests] }
        if !route.isForEveryPage { codes.append(.foreignOrigin) }
        if route.operation.body != nil { codes += [.contentTooLarge, .unsupportedCoding] }
        // Evaluations answer for themselves what is wrong with them.
        guard route.policy.audit != .none, route.policy.label != "explain", route.policy.label != "openapi" else {
            return codes
        }
        codes += [.storeUnavailable, .overloaded, .internalError, .invalidQuery]
        if !route.pattern.parameterNames.isEmpty { codes.append(.invalidPath) }
        if route.operation.queryNames.contains("environment") { codes.append(.unknownEnvironment) }
        if route.operation.body != nil {
            codes += [.invalidRequest, .invalidJSON, .invalidBody, .unsupportedMediaType]
        }
        return codes
    }

    @Test("Every route says by name what it can refuse because of what it is")
    func impliedProblems() throws {
        let router = Router(ServedRoutes.declarations, describedBy: .ofProgram(version: "1.2.3"))
        for route in router.routes {
            let name = "\(route.methodName) \(route.pattern.openAPIPath)"
            let item = document["paths"]?[route.pattern.openAPIPath]
            let responses = item?[route.methodName.lowercased()]?["responses"]
            for code in implied(by: route) {
                let description = resolved(responses?["\(code.status)"])?["description"]?.stringValue
                #expect(description?.contains("`\(code.name)`") == true, "\(name) does not tell of \(code.name)")
            }
        }
    }

    @Test("The query parameters of evaluations are those that the document has")
    func evaluationQueries() {
        let router = Router(ServedRoutes.declarations, describedBy: .ofProgram(version: "1.2.3"))
        for (route, evaluation) in zip(router.routes, EvaluationRoute.all) {
            #expect(route.operation.queryNames == EvaluationQuery.names(of: evaluation.kind))
        }
    }

    @Test("The codes of problems are those that the program has")
    func codes() throws {
        let root = URL(filePath: Repository.root + "/Sources")
        let pattern = try Regex(#"ProblemCode\(\s*"([a-z_]+)", (\d+), "([^"]+)"[,)]"#)
        var names: [String] = []
        let files = [
            "HTTPRouting/ProblemCode.swift", "Administration/ProblemCode+Flags.swift",
            "Administration/ProblemCode+Keys.swift", "Administration/ProblemCode+Tokens.swift",
            "Administration/ProblemCode+Tables.swift", "Administration/ProblemCode+Users.swift",
            "Administration/ProblemCode+Changes.swift", "Administration/ProblemCode+Schedules.swift",
        ]
        for file in files {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
            for match in text.matches(of: pattern) {
                names.append(String(try #require(match.output[1].substring)))
                let status = try #require(match.output[2].substring.flatMap { UInt16($0) })
                #expect((400...599).contains(status))
                #expect(match.output[3].substring?.first?.isUppercase == true)
            }
        }
        #expect(names.count > 30)
        let told = document["components"]?["schemas"]?["ProblemCode"]?["enum"]?.arrayValue?.compactMap(\.stringValue)
        #expect(Set(told ?? []) == Set(names))
        #expect(told?.count == names.count)
    }

    @Test("It is served as it was made")
    func served() throws {
        let answer = try RouteServer().send("GET", "/openapi.json")
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "application/json")
        #expect(answer.json == document)
    }

    /// What a reference leads to, or the value itself.
    private func resolved(_ value: JSONValue?) -> JSONValue? {
        guard let reference = value?["$ref"]?.stringValue else { return value }
        return reference.split(separator: "/").dropFirst().reduce(document as JSONValue?) { $0?[String($1)] }
    }

    private func forEachOperation(_ body: (String, JSONValue) throws -> Void) rethrows {
        for (path, item) in document["paths"]?.objectValue?.members ?? [] {
            for (method, operation) in item.objectValue?.members ?? [] where method != "parameters" {
                try body("\(method.uppercased()) \(path)", operation)
            }
        }
    }

    private func collect(_ value: JSONValue, _ references: inout Set<String>) {
        if let reference = value["$ref"]?.stringValue { references.insert(reference) }
        for member in value.objectValue?.members ?? [] { collect(member.value, &references) }
        for element in value.arrayValue ?? [] { collect(element, &references) }
    }
}
