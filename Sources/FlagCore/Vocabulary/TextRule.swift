/// What a text must be like to be taken.
package struct TextRule: Sendable {
    /// What the text is, for messages.
    let name: String
    /// Characters (Unicode scalars): 1 to this many.
    let characters: Int
    /// Whether `.` and `..` are refused: as a path segment they would mean something else.
    var refusesDots = false
    /// Whether line breaks and tabs are fine.
    var allowsLines = false

    /// A flag's key.
    package static let flagKey = TextRule(
        name: "a flag key", characters: FlagLimits.flagKeyCharacters, refusesDots: true)
    /// A flag's description.
    package static let description = TextRule(
        name: "a description", characters: FlagLimits.descriptionCharacters, allowsLines: true)
    /// A flag's owner.
    package static let owner = TextRule(name: "an owner", characters: FlagLimits.ownerCharacters)
    /// A tenant's id.
    package static let tenant = TextRule(name: "a tenant id", characters: FlagLimits.tenantCharacters)
    /// A reason.
    package static let reason = TextRule(
        name: "a reason", characters: FlagLimits.reasonCharacters, allowsLines: true)
    /// Somebody's name.
    package static let actor = TextRule(name: "a name", characters: FlagLimits.actorCharacters)
    /// A variant's name.
    package static let variant = TextRule(name: "a variant", characters: FlagLimits.variantCharacters)
    /// A tag.
    package static let tag = TextRule(name: "a tag", characters: FlagLimits.tagCharacters)

    /// A segment's name.
    package static let segmentName = TextRule(
        name: "the name of a segment", characters: FlagLimits.segmentNameCharacters, refusesDots: true)
    /// A key that is listed in a segment.
    package static let segmentKey = TextRule(name: "a key", characters: FlagLimits.segmentKeyCharacters)

    /// What is expected, as in `a flag key of 1 to 128 characters`.
    package var expectation: String { "\(name) of 1 to \(characters) characters" }

    /// What is wrong with `text`, nil when nothing is. O(length).
    package func complaint(about text: String) -> String? {
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            if isControl, !(allowsLines && (scalar == "\n" || scalar == "\r" || scalar == "\t")) {
                return "must not contain control characters"
            }
        }
        if count == 0 { return "must not be empty: \(expectation)" }
        if count > characters { return "is \(count) characters long: at most \(characters) are allowed" }
        if refusesDots, text == "." || text == ".." {
            return "must not be . or .. (they mean something else in a path)"
        }
        return nil
    }
}
