import DynamoModel
import FlagCore
import JSON

/// A kill switch that is on: it takes one flag, or all flags of an environment, away.
package struct KillSwitchRecord: Sendable, Equatable {
    /// The environment.
    package var environment: Environment
    /// The flag, which need not exist (yet); nil for all flags of the environment.
    package var flagKey: String?
    /// Why it was set.
    package var reason: String
    /// When.
    package var activatedAt: Timestamp
    /// By whom.
    package var activatedBy: String

    /// The kill switch's key.
    package var itemKey: ItemKey { .killSwitch(environment, flagKey: flagKey) }

    /// The kill switch as the interface shows it.
    package var json: JSONValue {
        var object = JSONObject()
        object["flagKey"] = flagKey.map { .string($0) } ?? .null
        if flagKey == nil { object["all"] = true }
        object["environment"] = .string(environment.rawValue)
        object["enabled"] = true
        object["reason"] = .string(reason)
        object["activatedAt"] = .string(activatedAt.rfc3339)
        object["activatedBy"] = .string(activatedBy)
        return .object(object)
    }

    /// The kill switch as an item of the table.
    package var item: Item {
        let key = itemKey
        return [
            Attribute.partition: .string(key.partition),
            Attribute.sort: .string(key.sort),
            Attribute.enabled: true,
            Attribute.reason: .string(reason),
            Attribute.activatedAt: .string(activatedAt.rfc3339),
            Attribute.activatedBy: .string(activatedBy),
        ]
    }
}

extension KillSwitchRecord {
    /// Reads a kill switch's item; nil when it is none, or off.
    ///
    /// In doubt it is on: an operator who puts one in a hurry with the key alone means it. Only `enabled` = false
    /// (BOOL) turns it off. The item of one that ended stays, so that the change stream says who ended it and why.
    package init?(item: Item) {
        guard case .killSwitch(let environment, let flagKey)? = ItemKey(item), KillSwitchRecord.isOn(item) else {
            return nil
        }
        self.init(
            environment: environment, flagKey: flagKey, reason: item[Attribute.reason]?.stringValue ?? "not given",
            activatedAt: item[Attribute.activatedAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
                ?? Timestamp(millisecondsSinceEpoch: 0),
            activatedBy: item[Attribute.activatedBy]?.stringValue ?? "unknown")
    }

    /// Whether the item of a kill switch says that it is on.
    static func isOn(_ item: Item) -> Bool {
        item[Attribute.enabled]?.boolValue ?? true
    }

    /// The same as a condition of a write.
    static let isOn = Condition.and([.exists, .not(.equals(DocumentPath(Attribute.enabled), false))])
}
