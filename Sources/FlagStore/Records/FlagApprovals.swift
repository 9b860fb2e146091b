import DynamoModel
import FlagCore

/// How many others have to agree to a change of a flag, as the flag itself asks for.
package enum FlagApprovals {
    /// What a flag may ask for.
    package static let range = 0...5

    /// What finds all flags of a table, with what they ask for.
    package static func queries(of table: String) -> [Query] {
        Environment.allCases.map { environment in
            var query = Query(
                table: table, index: FlagTable.flagsIndex,
                partition: .string(FlagIndex.all.partition(in: environment)))
            query.attributes = [Attribute.approvals]
            return query
        }
    }

    /// What the item of a flag asks for; nil where it asks for nothing. What somebody wrote by hand counts for what it
    /// comes to: a number past the range for the nearest in it, a fraction for the most, anything else for nothing.
    package static func count(in item: Item) -> Int? {
        guard let number = item[Attribute.approvals]?.numberValue else { return nil }
        let count = number.int64.map { min(max(Int(clamping: $0), range.lowerBound), range.upperBound) }
        return count == 0 ? nil : count ?? range.upperBound
    }
}
