import DynamoTable
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
    var itemKey: ItemKey { .killSwitch(environment, flagKey: flagKey) }

    /// The kill switch as the interface shows it.
    package var json: JSONValue {
        var object = JSONObject()
        object["flagKey"] = flagKey.map { .string($0) } ?? .null
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
    /// (BOOL) turns it off.
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
}

/// A kill switch as somebody wants it: the body of a write, checked.
package struct KillSwitchDraft: Sendable {
    /// The flag; nil for all flags of the environment.
    package var flagKey: String?
    /// Why.
    package var reason: String
    /// By whom.
    package var activatedBy: String
    /// The environment that the body names, if it does.
    package var environment: Environment?
    /// When it was set, in an export.
    var activatedAt: Timestamp?

    /// A kill switch that was made up elsewhere (a command).
    package init(flagKey: String?, reason: String, activatedBy: String) {
        self.flagKey = flagKey
        self.reason = reason
        self.activatedBy = activatedBy
    }

    /// Reads a body `{flagKey?, reason, activatedBy, environment?}`; what a read answered may be sent back.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    package init(json: JSONValue, at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an object that describes a kill switch")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        flagKey = reader.text("flagKey", .flagKey)
        let reason = reader.text("reason", .reason, isRequired: true)
        let activatedBy = reader.text("activatedBy", .actor, isRequired: true)
        environment = reader.environment("environment")
        activatedAt = reader.time("activatedAt")
        if reader.flag("enabled") == false {
            reader.report("enabled", "can only be true: deleting a kill switch turns it off")
        }
        try reader.finish()
        guard let reason, let activatedBy else { throw DefinitionIssues(issues: reader.issues) }
        self.reason = reason
        self.activatedBy = activatedBy
    }

    /// The kill switch as it is to be stored.
    func record(in environment: Environment, at now: Timestamp) -> KillSwitchRecord {
        KillSwitchRecord(
            environment: environment, flagKey: flagKey, reason: reason, activatedAt: activatedAt ?? now,
            activatedBy: activatedBy)
    }
}
