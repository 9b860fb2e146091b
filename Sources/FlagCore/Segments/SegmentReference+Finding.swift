import JSON

extension FlagDefinition {
    /// The places of the targeting rule that name a segment. Reads the rule anew each time.
    ///
    /// - Parameter pointer: where the definition stands.
    package func segmentReferences(at pointer: JSONPointer = JSONPointer()) -> [SegmentReference] {
        guard let targeting = json["targeting"], targeting.objectValue != nil else { return [] }
        return SegmentReference.all(in: targeting, at: pointer.appending("targeting"))
    }
}

extension SegmentReference {
    /// The places of a rule that name a segment; none when it cannot be read.
    static func all(in rule: JSONValue, at pointer: JSONPointer) -> [SegmentReference] {
        guard let document = try? JSONDocument(rule: rule) else { return [] }
        return RuleCompiler(document.root, at: pointer).segments
    }
}
