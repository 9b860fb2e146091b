import JSON

extension OpenAPISchemas {
    /// The properties of a body, made of those of what is read: what may be left out of it may be null, which is the
    /// same.
    ///
    /// - Parameters:
    ///   - members: the properties, as JSON text without braces.
    ///   - required: those that the body must have.
    static func body(_ members: String, requiring required: Set<String>) -> String {
        let read = (try? JSONValue(parsing: "{\(members)}"))?.objectValue ?? JSONObject()
        let sent = read.members.map { (key: $0.key, value: required.contains($0.key) ? $0.value : $0.value.orNull) }
        return JSONValue.object(JSONObject(sent)).serialized()
    }

    /// An environment that may be left out of a body.
    static let optionalEnvironment =
        ##"{"anyOf": [{"$ref": "#/components/schemas/EnvironmentName"}, {"type": "null"}]}"##
}

extension JSONValue {
    /// The schema, with null among what it allows.
    fileprivate var orNull: JSONValue {
        if self["type"]?.arrayValue?.contains("null") == true { return self }
        if self["anyOf"]?.arrayValue?.contains(["type": "null"]) == true { return self }
        return ["anyOf": [self, ["type": "null"]]]
    }
}
