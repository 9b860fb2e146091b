import DynamoModel
import FlagCore

/// A kill switch that was set, set again by somebody else or for another reason, or ended.
package struct KillSwitchChange: Sendable, Equatable {
    /// The environment.
    package let environment: Environment
    /// The flag; nil for the kill switch of all flags.
    package let flagKey: String?
    /// Whether it is on now.
    package let isOn: Bool
    /// Who set or ended it, as far as the writer said: `activatedBy` or `deactivatedBy`.
    package let actor: String?
    /// Why, as far as the writer said.
    package let reason: String?
    /// Whose write it was.
    package let principal: Principal

    /// Reads a change of the flag table; nil when it is of something else, or leaves everything as it was.
    init?(_ change: TableChange) {
        guard case .killSwitch(let environment, let flagKey)? = ItemKey(change.key) else { return nil }
        let (old, new) = (change.oldItem, change.newItem)
        isOn = new.map { KillSwitchRecord.isOn($0) } ?? false
        let wasOn = old.map { KillSwitchRecord.isOn($0) } ?? false
        func text(_ name: AttributeName, _ maximum: Int) -> String? {
            // Others may write what the interface would not take.
            new?[name]?.stringValue.map { String($0.unicodeScalars.prefix(maximum)) }
        }
        if isOn {
            actor = text(Attribute.activatedBy, FlagLimits.actorCharacters)
            reason = text(Attribute.reason, FlagLimits.reasonCharacters)
            let isSame = [Attribute.activatedBy, Attribute.reason].allSatisfy { old?[$0] == new?[$0] }
            guard !wasOn || !isSame else { return nil }
        } else {
            // What an earlier end left says nothing of this one.
            let isSaid = old?[Attribute.deactivatedAt] != new?[Attribute.deactivatedAt]
            actor = isSaid ? text(Attribute.deactivatedBy, FlagLimits.actorCharacters) : nil
            reason = isSaid ? text(Attribute.deactivationReason, FlagLimits.reasonCharacters) : nil
            guard wasOn else { return nil }
        }
        self.environment = environment
        self.flagKey = flagKey
        principal = change.principal
    }
}
