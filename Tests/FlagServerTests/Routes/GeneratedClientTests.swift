import JSON
import Testing

@testable import FlagServer
@testable import HTTPRouting

/// What generators of clients stumble over, or make something of that nobody would want to call. The end-to-end tests
/// run some of them; this says where in the document the reason is.
@Suite("OpenAPI document, for generators of clients")
struct GeneratedClientTests {
    private let document: JSONValue

    init() throws {
        document = try JSONValue(parsing: APIDocument.ofProgram(version: "1.2.3").text)
    }

    /// A schema with where it stands.
    private struct Place {
        let pointer: String
        let schema: JSONValue
        /// Whether it stands under a name of its own, of which a generator makes a class.
        let isNamed: Bool

        /// The types that it allows.
        var types: [String] {
            schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? [schema["type"]?.stringValue].compactMap(\.self)
        }
    }

    @Test("A constant and an enumeration are texts, and say so")
    func constants() {
        for place in places() {
            for allowed in place.schema["enum"]?.arrayValue ?? [place.schema["const"]].compactMap(\.self) {
                // Of other types openapi-generator makes Python that takes no value at all.
                #expect(place.types == ["string"] && allowed.stringValue != nil, "\(place.pointer)")
            }
        }
    }

    @Test("An array says what is in it")
    func arrays() {
        for place in places() where place.types.contains("array") {
            #expect(place.schema["items"]?.objectValue != nil, "\(place.pointer)")
        }
    }

    @Test("Nothing has more types than one, and null")
    func types() {
        for place in places() {
            #expect(place.types.filter { $0 != "null" }.count <= 1, "\(place.pointer)")
        }
    }

    @Test("What becomes a class has a name")
    func names() {
        for place in places() where !place.isNamed {
            #expect(place.schema["properties"] == nil, "\(place.pointer): an object with members")
            // Generators name those of a parameter after its operation, which reads well.
            let isOfParameter = place.pointer.hasPrefix("/paths/")
            #expect(isOfParameter || place.schema["enum"] == nil, "\(place.pointer): an enumeration")
            #expect(place.types != ["object", "null"], "\(place.pointer): an object or null")
        }
        for place in places() {
            for choice in (place.schema["anyOf"] ?? place.schema["oneOf"])?.arrayValue ?? [] {
                #expect(choice["type"] != "object", "\(place.pointer): an object among others")
            }
        }
    }

    @Test("A text is one line, without runs of spaces")
    func texts() {
        var count = 0
        forEachObject(document) { pointer, object in
            for name in ["description", "summary"] {
                guard let text = object[name]?.stringValue else { continue }
                count += 1
                let words = text.split(whereSeparator: \.isWhitespace)
                #expect(words.joined(separator: " ") == text, "\(pointer)/\(name)")
            }
        }
        #expect(count > 200)
    }

    @Test("Operations are verbs in camel case, and no schema takes a name that is made of one")
    func operations() throws {
        let schemas = try #require(document["components"]?["schemas"]?.objectValue)
        let verb = try Regex("[a-z]+(?:[A-Z][A-Za-z]*)?")
        let noun = try Regex("(?:[A-Z][a-z]+)+|OpenAPI")
        for route in ServedRoutes.declarations {
            let id = route.operationID
            #expect(id.wholeMatch(of: verb) != nil, "\(id)")
            // What typescript-fetch calls the parameters of an operation.
            let parameters = id.prefix(1).uppercased() + id.dropFirst() + "Request"
            #expect(schemas[parameters] == nil, "\(parameters)")
        }
        for name in schemas.keys {
            #expect(name.wholeMatch(of: noun) != nil, "\(name)")
        }
    }

    @Test("Null stands in a body only where it says the same as absence", arguments: ["NewFlag", "FlagBody"])
    func nulls(name: String) throws {
        let members = try #require(document["components"]?["schemas"]?[name]?["properties"])
        #expect(members["stale"]?["anyOf"]?.arrayValue?.contains(["type": "null"]) == true)
        #expect(members["killSwitch"]?["$ref"] == "#/components/schemas/KillSwitch")
    }

    @Test("A patch has the members that an author may change")
    func patches() throws {
        let schemas = try #require(document["components"]?["schemas"])
        for (patch, body, kept) in [
            ("FlagPatch", "NewFlag", ["environment", "createdAt", "updatedAt", "version", "stale", "killSwitch"]),
            ("SegmentPatch", "NewSegment", ["environment", "createdAt", "updatedAt", "version", "keyCount"]),
        ] {
            let members = schemas[body]?["properties"]?.objectValue?.keys ?? []
            #expect(schemas[patch]?["properties"]?.objectValue?.keys == members.filter { !kept.contains($0) })
            #expect(schemas[patch]?["required"] == nil)
        }
    }

    /// Every schema of the document, those inside others too.
    private func places() -> [Place] {
        var found: [Place] = []
        for (name, schema) in document["components"]?["schemas"]?.objectValue?.members ?? [] {
            collect(Place(pointer: "/components/schemas/\(name)", schema: schema, isNamed: true), in: &found)
        }
        forEachObject(document) { pointer, object in
            guard let schema = object["schema"] else { return }
            collect(Place(pointer: "\(pointer)/schema", schema: schema, isNamed: false), in: &found)
        }
        #expect(found.count > 200)
        return found
    }

    private func collect(_ place: Place, in found: inout [Place]) {
        found.append(place)
        var inside = (place.schema["properties"]?.objectValue?.members ?? []).map { ("properties/\($0.key)", $0.value) }
        for name in ["items", "additionalProperties"] {
            if let schema = place.schema[name], schema.objectValue != nil { inside.append((name, schema)) }
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            let choices = place.schema[name]?.arrayValue ?? []
            inside += choices.enumerated().map { ("\(name)/\($0.offset)", $0.element) }
        }
        for (step, schema) in inside {
            collect(Place(pointer: "\(place.pointer)/\(step)", schema: schema, isNamed: false), in: &found)
        }
    }

    private func forEachObject(_ value: JSONValue, at pointer: String = "", _ body: (String, JSONObject) -> Void) {
        if let object = value.objectValue {
            body(pointer, object)
            for (key, member) in object.members { forEachObject(member, at: "\(pointer)/\(key)", body) }
        }
        for (index, element) in (value.arrayValue ?? []).enumerated() {
            forEachObject(element, at: "\(pointer)/\(index)", body)
        }
    }
}
