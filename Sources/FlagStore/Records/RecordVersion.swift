import DynamoModel
import FlagCore

/// The version of a flag or a segment: 1 when it is created, one more with every change.
///
/// The server derives it. What is no version in an item that somebody wrote by hand (a text, `1E+30`) counts as none,
/// which is version 1, and is made anew.
package enum RecordVersion {
    /// The version in an item.
    static func of(_ item: Item) -> Int64 {
        guard let version = item[Attribute.version]?.int64Value, (1...FlagLimits.version).contains(version) else {
            return 1
        }
        return version
    }

    /// The version after a change. After the last one there can be, which only somebody's hand reaches, the first
    /// follows: nothing may keep a flag from being changed.
    package static func next(after version: Int64) -> Int64 { version < FlagLimits.version ? version + 1 : 1 }
}

extension Condition {
    /// There is an item.
    static let exists = Condition.attributeExists(DocumentPath(Attribute.partition))

    /// There is a flag or a segment of the version that `item` has: spelled as there, whatever it is, or as it will be
    /// once it has been put right.
    package static func isAtVersion(of item: Item) -> Condition {
        let path = DocumentPath(Attribute.version)
        let version = AttributeValue.number(RecordVersion.of(item))
        var spellings = [Condition.equals(path, version)]
        if version == 1 { spellings.append(.attributeNotExists(path)) }
        if let stored = item[Attribute.version], stored != version { spellings.append(.equals(path, stored)) }
        return .and([exists, .or(spellings)])
    }
}
