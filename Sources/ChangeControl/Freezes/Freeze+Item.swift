import DynamoModel
import FlagCore

extension Freeze {
    private static let environmentName: AttributeName = "environment"
    private static let fromName: AttributeName = "from"
    private static let toName: AttributeName = "to"
    private static let reasonName: AttributeName = "reason"
    private static let makerName: AttributeName = "createdBy"
    private static let madeName: AttributeName = "createdAt"
    private static let enderName: AttributeName = "endedBy"
    static let endedName: AttributeName = "endedAt"

    /// The key of the item of an identifier.
    static func key(_ id: String) -> TableKey { TableKey(.string(ChangeControlTable.freezes), .string(id)) }

    /// The freeze as an item.
    var item: Item {
        var item: Item = [
            ChangeControlTable.partition: .string(ChangeControlTable.freezes), ChangeControlTable.sort: .string(id),
            Self.environmentName: .string(environment.rawValue), Self.fromName: .string(from.rfc3339),
            Self.toName: .string(to.rfc3339), Self.reasonName: .string(reason),
        ]
        if let maker {
            item[Self.makerName] = .string(maker.by)
            item[Self.madeName] = .string(maker.at.rfc3339)
        }
        if let end {
            item[Self.enderName] = .string(end.by)
            item[Self.endedName] = .string(end.at.rfc3339)
        }
        return item
    }

    /// Reads what `item` wrote; nil when it is something else.
    init?(item: Item) {
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        func time(_ name: AttributeName) -> Timestamp? { text(name).flatMap { Timestamp(rfc3339: $0) } }
        guard let id = text(ChangeControlTable.sort),
            let environment = text(Self.environmentName).flatMap(Environment.init(rawValue:)),
            let from = time(Self.fromName), let to = time(Self.toName), let reason = text(Self.reasonName)
        else { return nil }
        self.init(id: id, environment: environment, from: from, to: to, reason: reason)
        if let by = text(Self.makerName), let at = time(Self.madeName) { maker = Act(by: by, at: at) }
        if let by = text(Self.enderName), let at = time(Self.endedName) { end = Act(by: by, at: at) }
    }
}
