import JSON

/// Checks a flag definition against the rules of flagd's schema (flagd.dev/schema/v0/flags.json), all of them.
struct DefinitionCheck {
    private var pointer: JSONPointer
    private var issues: [DefinitionIssue] = []

    /// Everything that is wrong with `definition`, which stands at `pointer`.
    static func issues(of definition: JSONValue, at pointer: JSONPointer) -> [DefinitionIssue] {
        var check = DefinitionCheck(pointer: pointer)
        check.check(definition)
        return check.issues
    }

    private init(pointer: JSONPointer) { self.pointer = pointer }

    private mutating func check(_ definition: JSONValue) {
        guard let flag = definition.objectValue else { return report("a flag must be an object") }
        checkState(flag["state"])
        checkVariants(flag["variants"])
        checkDefault(flag["defaultVariant"], variants: flag["variants"]?.objectValue)
        if let metadata = flag["metadata"] { checkMetadata(metadata) }
        if let targeting = flag["targeting"] { checkTargeting(targeting) }
    }

    private mutating func report(_ message: String, _ tokens: String...) {
        let place = tokens.reduce(pointer) { $0.appending($1) }
        issues.append(DefinitionIssue(pointer: place.description, message: message))
    }

    private mutating func checkState(_ state: JSONValue?) {
        guard let state else { return report(#"is missing: "ENABLED" or "DISABLED""#, "state") }
        guard state == "ENABLED" || state == "DISABLED" else {
            return report(#"must be "ENABLED" or "DISABLED""#, "state")
        }
    }

    private mutating func checkVariants(_ value: JSONValue?) {
        guard let value else { return report("is missing: an object of at least one variant", "variants") }
        guard let variants = value.objectValue else { return report("must be an object", "variants") }
        guard let first = variants.members.first else { return report("must have at least one variant", "variants") }
        for (name, value) in variants.members {
            if name.isEmpty { report("a variant's name must not be empty", "variants", name) }
            switch value {
            case .null, .array:
                report("must be a boolean, a string, a number or an object", "variants", name)
            default:
                guard first.value.typeName != value.typeName, !["null", "array"].contains(first.value.typeName) else {
                    continue
                }
                let message = "is of type \(value.typeName), but \"\(first.key)\" of type \(first.value.typeName)"
                report("\(message): all variants of a flag must have one type", "variants", name)
            }
        }
    }

    private mutating func checkDefault(_ value: JSONValue?, variants: JSONObject?) {
        switch value {
        case nil, .null: break
        case .string(let name):
            // The empty name is flagd's older way to say that there is none.
            guard let variants, variants[name] == nil, !name.isEmpty else { break }
            report("names no variant: \"\(name)\"", "defaultVariant")
        default: report("must be a string or null", "defaultVariant")
        }
    }

    private mutating func checkMetadata(_ value: JSONValue) {
        if value.isNull { return }
        guard let metadata = value.objectValue else { return report("must be an object", "metadata") }
        for (name, value) in metadata.members {
            switch value {
            // Null takes nothing from the flag set's metadata and adds nothing.
            case .string, .number, .bool, .null: break
            default: report("must be a string, a number or a boolean", "metadata", name)
            }
        }
    }

    private mutating func checkTargeting(_ value: JSONValue) {
        // Replaced by the rule compiler's own findings.
        guard !value.isNull, value.objectValue == nil else { return }
        report("must be an object", "targeting")
    }
}

extension JSONValue {
    /// The type in JSON's words.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
