import JSON

/// A flag in the full spelling: flagd's flag definition, self-contained (no `$ref`, no flag-set metadata left outside).
///
/// The members are `state`, `variants`, `defaultVariant`, `targeting` and `metadata`; others are kept and ignored, as
/// flagd's schema allows.
package struct FlagDefinition: Sendable, Equatable {
    /// The definition as it is stored.
    package let json: JSONValue
    private let pointer: JSONPointer
    /// The issue that makes every evaluation fail; nil when the flag can be evaluated, at least in part.
    let fatalIssue: DefinitionIssue?

    /// Checks a definition that is stored.
    ///
    /// - Parameters:
    ///   - json: the definition.
    ///   - pointer: where it stands in the document that the issues are to point into.
    /// - Throws: all issues at once.
    package init(validating json: JSONValue, at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) {
        try self.init(json, at: pointer, .schema)
    }

    /// Checks a definition that somebody wants to be stored: also that its rule comes to no name that no variant has,
    /// as far as its text says, which would fail only when it is evaluated.
    ///
    /// - Parameters:
    ///   - json: the definition.
    ///   - pointer: where it stands in the document that the issues are to point into.
    /// - Throws: all issues at once.
    package init(wanted json: JSONValue, at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) {
        try self.init(json, at: pointer, .outcome)
    }

    private init(
        _ json: JSONValue, at pointer: JSONPointer, _ depth: DefinitionCheck.Depth
    ) throws(DefinitionIssues) {
        self.init(keeping: json, at: pointer)
        let issues = DefinitionCheck(json, at: pointer, depth).issues
        guard issues.isEmpty else { throw DefinitionIssues(issues: issues) }
    }

    /// Keeps a definition whatever is wrong with it.
    ///
    /// Such a flag is evaluated as far as it can be understood, as flagd does; where evaluation reaches what cannot be
    /// understood the answer is `PARSE_ERROR`. A flag without a valid state or variants answers nothing else.
    package init(keeping json: JSONValue, at pointer: JSONPointer = JSONPointer()) {
        self.json = json
        self.pointer = pointer
        // The rule is read when the flag is compiled; to read it here as well would make loading half as fast.
        fatalIssue = DefinitionCheck(json, at: pointer, .shape).fatalIssue
    }

    /// What is wrong with the definition; empty unless it was kept in spite of that. Checks it anew each time.
    package var issues: [DefinitionIssue] { DefinitionCheck(json, at: pointer, .schema).issues }

    /// A definition that is known to be right.
    private init(checked json: JSONValue) {
        self.json = json
        pointer = JSONPointer()
        fatalIssue = nil
    }

    /// The definition behind the simple spelling: a boolean flag with the variants `on` and `off`.
    package static func simple(defaultEnabled: Bool) -> FlagDefinition {
        FlagDefinition(checked: [
            "state": "ENABLED",
            "variants": ["on": true, "off": false],
            "defaultVariant": defaultEnabled ? "on" : "off",
        ])
    }

    /// Whether both say the same.
    package static func == (left: FlagDefinition, right: FlagDefinition) -> Bool { left.json == right.json }
}
