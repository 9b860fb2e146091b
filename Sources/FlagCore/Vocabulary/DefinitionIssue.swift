/// One thing that is wrong with a flag's definition.
package struct DefinitionIssue: Sendable, Equatable, CustomStringConvertible {
    /// Where: a JSON pointer (RFC 6901) into the document that was checked.
    package let pointer: String
    /// What, and what is allowed instead.
    package let message: String

    /// An issue at a place.
    package init(pointer: String, message: String) {
        self.pointer = pointer
        self.message = message
    }

    /// `/flags/x/state: must be "ENABLED" or "DISABLED"`
    package var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }
}

/// Everything that is wrong with a flag's definition, in the order of the document.
package struct DefinitionIssues: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one.
    package let issues: [DefinitionIssue]

    /// The issues of one definition.
    package init(issues: [DefinitionIssue]) { self.issues = issues }

    /// The issues, one a line.
    package var description: String { issues.map(\.description).joined(separator: "\n") }
}
