import FlagCore
import JSON

/// A kill switch as somebody wants it: the body of a write, checked.
package struct KillSwitchDraft: Sendable {
    /// The flag; nil for all flags of the environment.
    package var flagKey: String?
    /// Whether a key that no flag has is meant all the same.
    package var isForced = false
    /// Why.
    package var reason: String
    /// By whom.
    package var activatedBy: String
    /// The environment that the body names, if it does.
    package var environment: Environment?
    /// When it was set, in an export.
    var activatedAt: Timestamp?

    /// What to tell whoever takes a kill switch for a member of the flag.
    static let advice = "is set with POST /api/emergency/kill-switch and ended with POST .../deactivate; leave it out"

    /// A kill switch that was made up elsewhere (a command).
    package init(flagKey: String?, isForced: Bool = false, reason: String, activatedBy: String) {
        self.flagKey = flagKey
        self.isForced = isForced
        self.reason = reason
        self.activatedBy = activatedBy
    }

    /// Reads a body `{flagKey, force?, reason, activatedBy, environment?}`, or the same with `"all": true` in the place
    /// of `flagKey`; what a read answered may be sent back.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    package init(json: JSONValue, at pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an object that describes a kill switch")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        flagKey = reader.killedFlag(beside: #""reason":"…","activatedBy":"…""#)
        isForced = reader.flag("force") ?? false
        let reason = reader.text("reason", .reason, isRequired: true)
        let activatedBy = reader.text("activatedBy", .actor, isRequired: true)
        environment = reader.environment("environment")
        activatedAt = reader.time("activatedAt")
        if reader.flag("enabled") == false {
            reader.report("enabled", "can only be true: POST /api/emergency/kill-switch/deactivate ends a kill switch")
        }
        try reader.finish()
        guard let reason, let activatedBy else { throw DefinitionIssues(issues: reader.issues) }
        self.reason = reason
        self.activatedBy = activatedBy
    }

    /// The kill switch as it is to be stored.
    package func record(in environment: Environment, at now: Timestamp) -> KillSwitchRecord {
        KillSwitchRecord(
            environment: environment, flagKey: flagKey, reason: reason, activatedAt: activatedAt ?? now,
            activatedBy: activatedBy)
    }
}

/// The end of a kill switch as somebody wants it: the body of a write, checked.
package struct KillSwitchEnd: Sendable {
    /// The flag; nil for the kill switch of all flags.
    package let flagKey: String?
    /// By whom.
    package let deactivatedBy: String
    /// Why, if anybody says.
    package let reason: String?
    /// The environment that the body names, if it does.
    package let environment: Environment?

    /// The end of a kill switch that was made up elsewhere (a command).
    package init(flagKey: String?, deactivatedBy: String, reason: String? = nil) {
        self.flagKey = flagKey
        self.deactivatedBy = deactivatedBy
        self.reason = reason
        environment = nil
    }

    /// Reads a body `{flagKey, deactivatedBy, reason?, environment?}`, or the same with `"all": true` in the place of
    /// `flagKey`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    package init(json: JSONValue) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "", message: "must be an object that says which kill switch ends")
            ])
        }
        var reader = FieldReader(object, at: JSONPointer())
        flagKey = reader.killedFlag(beside: #""deactivatedBy":"…""#)
        let deactivatedBy = reader.text("deactivatedBy", .actor, isRequired: true)
        reason = reader.text("reason", .reason)
        environment = reader.environment("environment")
        try reader.finish()
        guard let deactivatedBy else { throw DefinitionIssues(issues: reader.issues) }
        self.deactivatedBy = deactivatedBy
    }
}

extension FieldReader {
    /// Which flag a kill switch is of, by `flagKey`; nil for all, by `"all": true`.
    ///
    /// All flags are never meant by leaving something out: an empty variable of a shell, or a misspelt member, must not
    /// take everything away. What names neither is noted.
    ///
    /// - Parameter others: the members that stand beside it, for the one who left both out.
    fileprivate mutating func killedFlag(beside others: String) -> String? {
        let flagKey = text("flagKey", .flagKey)
        let isOfAll = flag("all") ?? false
        if isOfAll, flagKey != nil {
            report("all", "does not go with flagKey: leave one of them out")
        } else if !isOfAll, value("flagKey")?.isNull ?? true {
            report(
                "flagKey",
                #"is required: {"flagKey":"new-checkout",\#(others)} is about one flag, {"all":true,\#(others)} about "#
                    + "all flags of the environment")
        }
        return flagKey
    }
}
