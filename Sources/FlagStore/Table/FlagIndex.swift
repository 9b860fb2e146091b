import DynamoModel
import FlagCore

/// One of the orders in which flags are listed: an index and a partition of it.
package enum FlagIndex: Sendable, Equatable {
    /// All flags of an environment, newest first.
    case all
    /// The flags of one owner, by key.
    case owner(String)
    /// The flags that have a date by which they should be gone, soonest first.
    case expires

    /// The index's name.
    var name: String {
        switch self {
        case .all: FlagTable.flagsIndex
        case .owner: FlagTable.ownerIndex
        case .expires: FlagTable.expiresIndex
        }
    }

    /// The names of the index's key attributes.
    var keyAttributes: (partition: AttributeName, sort: AttributeName) {
        switch self {
        case .all: (Attribute.flagsPartition, Attribute.flagsSort)
        case .owner: (Attribute.ownerPartition, Attribute.ownerSort)
        case .expires: (Attribute.expiresPartition, Attribute.expiresSort)
        }
    }

    /// The partition that holds the flags of an environment.
    ///
    /// - Parameter archived: those that were put away, which lie apart: whoever lists or loads what is served does not
    ///   come by them.
    package func partition(in environment: Environment, archived: Bool = false) -> String {
        (archived ? "ARCHIVED_" : "") + partitionOfServed(in: environment)
    }

    private func partitionOfServed(in environment: Environment) -> String {
        switch self {
        case .all: "FLAGS#\(environment.rawValue)"
        case .owner(let owner): "OWNER#\(environment.rawValue)#\(owner)"
        case .expires: "EXPIRES#\(environment.rawValue)"
        }
    }

    /// A letter that tells cursors of different orders apart.
    var letter: String {
        switch self {
        case .all: "a"
        case .owner: "o"
        case .expires: "e"
        }
    }
}
