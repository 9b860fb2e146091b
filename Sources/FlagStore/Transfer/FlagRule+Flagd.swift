import FlagCore
import JSON

extension FlagRule {
    /// The simple spelling as flagd's definition: the rollout becomes targeting with the same buckets.
    ///
    /// flagd has no clock of a time zone: business hours are left out, and the metadata says so.
    func flagdForm(defaultEnabled: Bool) -> JSONValue {
        guard case .object(var definition) = FlagDefinition.simple(defaultEnabled: defaultEnabled).json else {
            preconditionFailure("A definition is an object")
        }
        guard let rollout = try? parsedRollout() else { return .object(definition) }
        definition["targeting"] = rollout.flagdTargeting
        if rollout.businessHours != nil { definition["metadata"] = ["businessHours": "left out by the export"] }
        return .object(definition)
    }
}
