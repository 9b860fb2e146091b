import DynamoModel
import FlagCore

/// What stands for the version of an override, which has none: when it was set, in milliseconds since 1970; 0 where
/// there is none, or nobody says when.
enum OverrideVersion {
    /// That of an item; nil for none.
    static func of(_ item: Item?) -> Int64 {
        let time = item?[Attribute.updatedAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        return max(0, time?.millisecondsSinceEpoch ?? 0)
    }

    /// What must hold of the item if it is to be as it is now.
    static func isStill(_ item: Item?) -> Condition {
        guard let item else { return .attributeNotExists(DocumentPath(Attribute.partition)) }
        let path = DocumentPath(Attribute.updatedAt)
        let isSame = item[Attribute.updatedAt].map { Condition.equals(path, $0) } ?? .attributeNotExists(path)
        return .and([.exists, isSame])
    }
}
