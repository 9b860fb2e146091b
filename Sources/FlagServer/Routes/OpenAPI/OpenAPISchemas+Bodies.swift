import JSON

extension OpenAPISchemas {
    /// The properties of a body, made of those of what is read: what may be left out of it may be null, which is the
    /// same.
    ///
    /// - Parameters:
    ///   - members: the properties, as JSON text without braces.
    ///   - given: those of which null is not the same: the body must have them, or null would say something else.
    static func body(_ members: String, given: Set<String>) -> String {
        let read = (try? JSONValue(parsing: "{\(members)}"))?.objectValue ?? JSONObject()
        let sent = read.members.map { (key: $0.key, value: given.contains($0.key) ? $0.value : $0.value.orNull) }
        return JSONValue.object(JSONObject(sent)).serialized()
    }

    /// An environment that may be left out of a body.
    static let optionalEnvironment =
        ##"{"anyOf": [{"$ref": "#/components/schemas/EnvironmentName"}, {"type": "null"}]}"##
}

extension JSONValue {
    /// The schema, with null among what it allows. What it means is said of both.
    fileprivate var orNull: JSONValue {
        guard case .object(var schema) = self, self["type"]?.arrayValue?.contains("null") != true,
            self["anyOf"]?.arrayValue?.contains(["type": "null"]) != true
        else { return self }
        let meaning = self["description"]
        schema["description"] = nil
        var either: JSONObject = ["anyOf": [.object(schema), ["type": "null"]]]
        either["description"] = meaning
        return .object(either)
    }
}
