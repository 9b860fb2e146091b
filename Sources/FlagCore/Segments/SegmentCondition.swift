import JSON

/// The condition of a segment: a rule like a flag's targeting, of which only matters whether its result counts as true.
package struct SegmentCondition: Sendable, Equatable {
    /// The rule as it was written.
    package let json: JSONValue
    /// The places that name other segments.
    package let references: [SegmentReference]

    /// Reads and checks a condition.
    ///
    /// - Parameter pointer: where it stands.
    /// - Throws: everything that is wrong with it.
    package init(validating json: JSONValue, at pointer: JSONPointer) throws(DefinitionIssues) {
        func refuse(_ message: String) -> DefinitionIssues {
            DefinitionIssues(issues: [DefinitionIssue(pointer: pointer.description, message: message)])
        }
        guard let object = json.objectValue, !object.isEmpty else {
            throw refuse(#"must be a targeting rule such as {"ends_with": [{"var": "email"}, "@example.com"]}"#)
        }
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(rule: json) } catch {
            throw refuse("cannot be read: \(error.reason.inWords)")
        }
        let compiler = RuleCompiler(document.root, at: pointer)
        guard compiler.issues.isEmpty else { throw DefinitionIssues(issues: compiler.issues) }
        self.json = json
        references = compiler.segments
    }

    package static func == (left: SegmentCondition, right: SegmentCondition) -> Bool { left.json == right.json }
}
