import JSON

/// Checks a flag definition against the rules of flagd's schema (flagd.dev/schema/v0/flags.json), all of them, and of
/// one that is to be stored also what the schema allows and yet can only fail.
struct DefinitionCheck {
    /// How far a definition is looked into.
    enum Depth: Comparable {
        /// All but its targeting rule.
        case shape
        /// All that the schema says.
        case schema
        /// Also what its rule comes to, and numbers that no program can read.
        case outcome
    }

    /// Everything that is wrong, in the order of the checks.
    private(set) var issues: [DefinitionIssue] = []
    /// The first issue with which the flag cannot be evaluated at all.
    private(set) var fatalIssue: DefinitionIssue?

    private let pointer: JSONPointer
    private let depth: Depth

    /// Checks `definition`, which stands at `pointer`.
    init(_ definition: JSONValue, at pointer: JSONPointer, _ depth: Depth) {
        self.pointer = pointer
        self.depth = depth
        check(definition)
    }

    private mutating func check(_ definition: JSONValue) {
        guard let flag = definition.objectValue else { return reportFatal("a flag must be an object") }
        checkState(flag["state"], meant("state", by: flag))
        checkVariants(flag["variants"], meant("variants", by: flag))
        checkDefault(flag["defaultVariant"], variants: flag["variants"]?.objectValue)
        if let targeting = flag["targeting"], !targeting.isNull { checkTargeting(targeting, flag["variants"]) }
        if let metadata = flag["metadata"], !metadata.isNull { checkMetadata(metadata) }
        if depth == .outcome { issues += NumberCheck(definition, at: pointer).issues }
    }

    private mutating func report(_ message: String, _ tokens: String...) {
        let place = tokens.reduce(pointer) { $0.appending($1) }
        issues.append(DefinitionIssue(pointer: place.description, message: message))
    }

    private mutating func reportFatal(_ message: String, _ tokens: String...) {
        let place = tokens.reduce(pointer) { $0.appending($1) }
        issues.append(DefinitionIssue(pointer: place.description, message: message))
        if fatalIssue == nil { fatalIssue = issues.last }
    }

    /// What was probably meant to be a member that is missing, in words: flagd takes members of any name.
    private func meant(_ name: String, by flag: JSONObject) -> String {
        guard flag[name] == nil, let other = Suggestion.nearest(to: name, among: flag.members.map(\.key)) else {
            return ""
        }
        return " (did you mean it by \"\(other)\"?)"
    }

    private mutating func checkState(_ state: JSONValue?, _ meant: String) {
        guard let state else { return reportFatal("is missing\(meant): \"ENABLED\" or \"DISABLED\"", "state") }
        guard state == "ENABLED" || state == "DISABLED" else {
            return reportFatal(#"must be "ENABLED" or "DISABLED""#, "state")
        }
    }

    private mutating func checkVariants(_ value: JSONValue?, _ meant: String) {
        guard let value else {
            return reportFatal("is missing\(meant): an object of at least one variant", "variants")
        }
        guard let variants = value.objectValue else { return reportFatal("must be an object", "variants") }
        guard !variants.isEmpty else { return reportFatal("must have at least one variant", "variants") }
        var first: (name: String, type: String)?
        for (name, value) in variants.members {
            if name.isEmpty { report("a variant's name must not be empty", "variants", name) }
            guard !value.isNull, value.arrayValue == nil else {
                report("must be a boolean, a string, a number or an object", "variants", name)
                continue
            }
            guard let first, first.type != value.typeName else {
                if first == nil { first = (name, value.typeName) }
                continue
            }
            let message = "is of type \(value.typeName), but \"\(first.name)\" of type \(first.type)"
            report("\(message): all variants of a flag must have one type", "variants", name)
        }
    }

    private mutating func checkDefault(_ value: JSONValue?, variants: JSONObject?) {
        switch value {
        case nil, .null: break
        case .string(let name):
            // The empty name is flagd's older way to say that there is none.
            guard let variants, variants[name] == nil, !name.isEmpty else { break }
            reportFatal("names no variant: \"\(name)\"", "defaultVariant")
        default: reportFatal("must be a string or null", "defaultVariant")
        }
    }

    private mutating func checkMetadata(_ value: JSONValue) {
        guard let metadata = value.objectValue else { return report("must be an object", "metadata") }
        for (name, value) in metadata.members {
            switch value {
            // Null takes nothing from the flag set's metadata and adds nothing.
            case .string, .number, .bool, .null: break
            default: report("must be a string, a number or a boolean", "metadata", name)
            }
        }
    }

    private mutating func checkTargeting(_ value: JSONValue, _ variants: JSONValue?) {
        guard let rule = value.objectValue else { return reportFatal("must be an object", "targeting") }
        guard depth >= .schema, !rule.isEmpty else { return }
        let place = pointer.appending("targeting")
        do throws(JSONError) {
            let document = try JSONDocument(rule: value)
            let compiler = RuleCompiler(document.root, at: place)
            issues += compiler.issues
        } catch {
            return report("cannot be read: \(error.reason.inWords)", "targeting")
        }
        guard depth == .outcome, rule.count == 1, let variants = variants?.objectValue else { return }
        issues += ResultCheck(value, variants: variants.keys, at: place).issues
    }
}

extension JSONDocument {
    /// The document that a targeting rule's nodes point into.
    convenience init(rule: JSONValue) throws(JSONError) {
        try self.init(
            parsing: rule.serializedBytes(), options: JSONParseOptions(maximumDepth: RuleLimits.standard.depth))
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
