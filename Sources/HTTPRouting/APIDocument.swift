import Bytes
import JSON

/// The OpenAPI document of the routes: a file that is written by hand, served as it is, and read for what routes
/// accept. Tests hold it and the routing table to each other.
package struct APIDocument: Sendable {
    /// What stands in the file where the program's version is served.
    private static let versionPlace = "0.0.0-unreleased"

    /// The document, UTF-8.
    package let text: [UInt8]
    private let operations: [String: OpenAPIOperation]
    private let places: [String: String]

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - file: the OpenAPI document, UTF-8.
    ///   - version: the program's.
    /// - Throws: `JSONError` when it is no JSON.
    package init(_ file: UnsafeRawBufferPointer, version: String) throws(JSONError) {
        text = APIDocument.text(of: file, version: version)
        let tape = JSONTape()
        try tape.parse(file)
        var operations: [String: OpenAPIOperation] = [:]
        var places: [String: String] = [:]
        tape.root["paths"]?.forEachMember { path, item in
            item.forEachMember { method, operation in
                guard let id = operation["operationId"]?.string else { return }
                operations[id] = OpenAPIOperation(operation, tape.root["components"]?["parameters"])
                places[id] = "\(string(method).uppercased()) \(string(path))"
            }
        }
        self.operations = operations
        self.places = places
    }

    /// What the document says of a route. One that it lacks is a mistake in the program, as is one in another place.
    func operation(of route: RouteDeclaration) -> OpenAPIOperation {
        let place = "\(route.method.name) \(route.pattern.openAPIPath)"
        guard let operation = operations[route.operationID], places[route.operationID] == place else {
            preconditionFailure("the API document does not describe \(place) as \(route.operationID)")
        }
        return operation
    }

    private static func text(of file: UnsafeRawBufferPointer, version: String) -> [UInt8] {
        let place = Array(versionPlace.utf8)
        guard
            let start = file.indices.first(where: { index in
                file[index] == place[0] && file[index...].starts(with: place)
            })
        else { return Array(file) }
        return Array(file[..<start]) + Array(version.utf8) + Array(file[(start + place.count)...])
    }
}

extension OpenAPIOperation {
    /// What a document says of one.
    ///
    /// - Parameters:
    ///   - json: the operation.
    ///   - shared: parameters that operations refer to by their names.
    fileprivate init(_ json: JSONView, _ shared: JSONView?) {
        queryNames =
            (json["parameters"]?.elements).map { parameters in
                parameters.compactMap { parameter in
                    let name = parameter["$ref"]?.string?.split(separator: "/").last.map { Array($0.utf8) }
                    let parameter = name.flatMap { name in name.withUnsafeBytes { shared?[$0] } } ?? parameter
                    return parameter["in"]?.string == "query" ? parameter["name"]?.string : nil
                }
            } ?? []
        body = json["requestBody"]?["content"].map { content in
            Body(
                mediaTypes: content.members.map { string($0.name) },
                example: content.members.first { _ in true }?.value["example"].map { $0.materialized().serialized() })
        }
    }
}

private func string(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
