import JSON

/// Builds the OpenAPI 3.1 document of a routing table.
enum OpenAPIDocument {
    /// The document, UTF-8.
    ///
    /// - Parameters:
    ///   - routes: the routing table.
    ///   - version: the program's version.
    static func text(of routes: [Route], version: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("openapi", "3.1.0")
        writer.key("info")
        writer.raw(OpenAPISchemas.information(version: version))
        writer.key("servers")
        writer.raw(#"[{"url":"/"}]"#)
        writer.key("tags")
        writer.raw(OpenAPISchemas.tags)
        writer.key("paths")
        writePaths(routes, to: &writer)
        writer.key("components")
        writer.raw(OpenAPISchemas.components)
        writer.endObject()
        return writer.bytes
    }

    private static func writePaths(_ routes: [Route], to writer: inout JSONWriter) {
        writer.beginObject()
        var written: Set<String> = []
        for path in routes.map(\.pattern.openAPIPath) where written.insert(path).inserted {
            let group = routes.filter { $0.pattern.openAPIPath == path }
            writer.key(path)
            writer.beginObject()
            if let names = group.first?.pattern.parameterNames, !names.isEmpty {
                writer.key("parameters")
                writer.beginArray()
                for name in names { writer.raw(##"{"$ref":"#/components/parameters/\##(name)"}"##) }
                writer.endArray()
            }
            for route in group {
                writer.key(route.methodName.lowercased())
                write(route, to: &writer)
            }
            writer.endObject()
        }
        writer.endObject()
    }

    private static func write(_ route: Route, to writer: inout JSONWriter) {
        let operation = route.operation
        writer.beginObject()
        writer.key("tags")
        writer.beginArray()
        writer.string(route.group.tag)
        writer.endArray()
        writer.member("operationId", operation.id)
        writer.member("summary", operation.summary)
        if !operation.detail.isEmpty { writer.member("description", operation.detail) }
        if !operation.query.isEmpty || !operation.header.isEmpty {
            writer.key("parameters")
            writer.beginArray()
            for parameter in operation.query { write(parameter, in: "query", to: &writer) }
            for parameter in operation.header { write(parameter, in: "header", to: &writer) }
            writer.endArray()
        }
        if let body = operation.body { write(body, to: &writer) }
        writer.key("responses")
        writeAnswers(of: route, to: &writer)
        writer.endObject()
    }

    private static func write(_ parameter: Operation.Parameter, in place: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", parameter.name)
        writer.member("in", place)
        writer.member("description", parameter.meaning)
        writer.key("schema")
        writer.raw(parameter.schema)
        writer.endObject()
    }

    private static func write(_ body: Operation.Body, to writer: inout JSONWriter) {
        writer.key("requestBody")
        writer.beginObject()
        writer.key("required")
        writer.bool(body.isRequired)
        writer.key("content")
        writer.beginObject()
        for type in body.mediaTypes {
            writer.key(type)
            writer.raw(##"{"schema":{"$ref":"#/components/schemas/\##(body.schema)"},"example":\##(body.example)}"##)
        }
        writer.endObject()
        writer.endObject()
    }

    /// The answers by status: the route's own, then its problems. Several meanings of one status are joined.
    private static func writeAnswers(of route: Route, to writer: inout JSONWriter) {
        let operation = route.operation
        writer.beginObject()
        for answer in operation.answers {
            writer.key("\(answer.status)")
            writer.beginObject()
            writer.member("description", answer.meaning)
            if !answer.header.isEmpty {
                writer.key("headers")
                writer.beginObject()
                for field in answer.header {
                    writer.key(field.name)
                    writer.beginObject()
                    writer.member("description", field.meaning)
                    writer.key("schema")
                    writer.raw(field.schema)
                    writer.endObject()
                }
                writer.endObject()
            }
            if let schema = answer.schema { writeContent(schema, type: answer.mediaType, to: &writer) }
            writer.endObject()
        }
        let codes = operation.problems + route.impliedProblems
        let own = Set(operation.answers.map(\.status))
        for status in Set(codes.map(\.status)).subtracting(own).sorted() {
            let names = codes.filter { $0.status == status }.map { "\($0.title) (`\($0.rawValue)`)." }
            writer.key("\(status)")
            writer.beginObject()
            writer.member("description", names.joined(separator: " "))
            writeContent("Problem", type: "application/problem+json", to: &writer)
            writer.endObject()
        }
        writer.key("default")
        writer.raw(##"{"$ref":"#/components/responses/ProtocolProblem"}"##)
        writer.endObject()
    }

    private static func writeContent(_ schema: String, type: String, to writer: inout JSONWriter) {
        writer.key("content")
        writer.beginObject()
        writer.key(type)
        writer.raw(##"{"schema":{"$ref":"#/components/schemas/\##(schema)"}}"##)
        writer.endObject()
    }
}

extension JSONWriter {
    /// Writes a member whose value is a string.
    mutating func member(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }

    /// Writes a text that is JSON already.
    mutating func raw(_ json: String) {
        raw(Array(json.utf8))
    }
}
