import Access
import DynamoModel
import FlagCore

extension KeyRecord.Revocation {
    private enum Name {
        static let at: AttributeName = "revokedAt"
        static let by: AttributeName = "revokedBy"
        static let reason: AttributeName = "reason"
    }

    /// Adds it to a key's item.
    func add(to item: inout Item) {
        item[Name.at] = .string(at.rfc3339)
        item[Name.by] = .string(by)
        item[Name.reason] = reason.map { .string($0) }
    }

    /// Reads that of a key's item; nil for a key that was not revoked. One that cannot be read is one all the same.
    ///
    /// - Parameter createdAt: when the key was made, for a time that cannot be read.
    init?(ofKey item: Item, createdAt: Timestamp) {
        guard let time = item[Name.at] else { return nil }
        self.init(
            at: time.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? createdAt,
            by: item[Name.by]?.stringValue ?? "", reason: item[Name.reason]?.stringValue)
    }
}
