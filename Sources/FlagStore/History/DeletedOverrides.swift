import Bytes
import DynamoModel
import FlagCore
import JSON

/// Overrides that one request deleted, many at once, as they were: histories only count them, and whoever brings the
/// flag back that they went with wants them. One item of the internal table holds some hundred.
struct DeletedOverrides: Sendable {
    private typealias Name = FlagHistoryTable.Name

    /// What they belong to.
    struct Place: Hashable {
        let partition: String
        let requestID: String
    }

    /// What each was, as `TenantOverrideRecord.content` has it, by its tenant.
    private(set) var contents: [(tenant: String, content: JSONObject)] = []
    /// The request.
    let requestID: String
    /// The place of the last of them in the change stream.
    private(set) var sequence: Int64 = 0
    /// Whether one item has no more room for sure.
    var isFull: Bool { bytes >= FlagLimits.keptContentBytes / 2 }
    private var bytes = 0

    /// None yet.
    init(requestID: String) {
        self.requestID = requestID
    }

    /// Adds one.
    mutating func add(_ override: TenantOverrideRecord, at sequence: Int64) {
        contents.append((override.tenant, override.content))
        self.sequence = max(self.sequence, sequence)
        bytes += override.item.storedBytes
    }

    // MARK: - As an item

    /// The item of a flag's deleted overrides.
    func item(in partition: String) -> Item {
        var object = JSONObject()
        for (tenant, content) in contents { object[tenant] = .object(content) }
        var item: Item = [
            Attribute.partition: .string(partition), Attribute.sort: .string(FlagHistoryTable.sort(sequence)),
            Name.requestID: .string(requestID),
        ]
        KeptContent.object(object).add(to: &item)
        return item
    }

    /// Reads what `item` wrote; nil for something else.
    init?(item: Item) {
        guard let requestID = item[Name.requestID]?.stringValue, let object = KeptContent(item).object else {
            return nil
        }
        self.init(requestID: requestID)
        contents = object.members.compactMap { tenant, content in content.objectValue.map { (tenant, $0) } }
    }
}

extension FlagHistoryTable {
    /// The partition of the overrides that went when a flag was deleted.
    static func deletedOverridesPartition(_ environment: Environment, _ key: String) -> String {
        "DELETED_OVERRIDES#\(environment.rawValue)#\(key)"
    }
}
