/// Every bound on what a flag table takes. Characters are Unicode scalars, so that a bound on them also bounds bytes:
/// the longest key stays far below DynamoDB's 2,048 bytes of partition key and 1,024 of sort key.
package enum FlagLimits {
    /// Characters of a flag key: 1 to this many.
    package static let flagKeyCharacters = 128
    /// Characters of a description: 1 to this many.
    package static let descriptionCharacters = 500
    /// Characters of an owner: 1 to this many.
    package static let ownerCharacters = 100
    /// Characters of a tenant id: 1 to this many.
    package static let tenantCharacters = 100
    /// Characters of a reason, of an override or a kill switch: 1 to this many.
    package static let reasonCharacters = 500
    /// Characters of a name of somebody who did something (`updatedBy`, `activatedBy`): 1 to this many.
    package static let actorCharacters = 100
    /// Characters of a variant's name in an override: 1 to this many.
    package static let variantCharacters = 256
    /// Tags of a flag.
    package static let tags = 20
    /// Characters of a tag: 1 to this many.
    package static let tagCharacters = 50
    /// Bytes of a flag as an item, names and values counted as DynamoDB counts them: 300 KB.
    package static let storedFlagBytes = 300 * 1_024
    /// Entries of a history that are kept where nothing else is set: the latest. Those of a flag's overrides are kept
    /// beside the flag's own, so that however many of them push none of those out.
    package static let historyVersions = 500
    /// Bytes of contents that a history keeps, as they are stored: with more, the oldest entries go.
    package static let historyContentBytes = 8 << 20
    /// Bytes of the content of one version, as it is stored, beside which its entry still is an item.
    package static let keptContentBytes = 340 * 1_024
    /// Bytes of what an entry of a history says of values: pointers and JSON texts. What does not fit is told by its
    /// size.
    package static let historyEntryBytes = 8 * 1_024
    /// Changes of overrides by one hand that a history has one by one when they come together: more are counted.
    package static let singleOverrides = 50
    /// Names that stand beside such a count, at most.
    package static let talliedNames = 20
    /// Bytes of these names, at most.
    package static let talliedNameBytes = 2 * 1_024
    /// Flags or overrides on one page of a list, at most.
    package static let pageSize = 1_000
    /// Entries of a list that are counted for its first page; longer lists do not say how many there are.
    package static let counted = 10_000
    /// Bytes of flags or overrides, as they are stored, from which on a page of a list ends.
    package static let pageBytes = 1 << 20
    /// Flags or overrides on one page of a list when the request does not say.
    package static let defaultPageSize = 100
    /// Characters of a segment's name: 1 to this many.
    package static let segmentNameCharacters = 100
    /// Characters of a key that is listed in a segment: 1 to this many. With `KEY#` they are a sort key.
    package static let segmentKeyCharacters = 250
    /// Keys that are listed in one segment.
    package static let segmentKeys = 100_000
    /// A version or a revision, at most: what every reader of JSON holds exactly (2^53 - 1; RFC 8259 section 6).
    package static let version: Int64 = 9_007_199_254_740_991
    /// Operations of one transaction besides the one that raises the revision (DynamoDB: 100 in all).
    package static let operationsPerTransaction = 99
}
