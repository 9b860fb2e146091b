import FlagCore
import JSON

/// A change of flags as a value: it can be stored, shown, checked without being done, and done, now or later, by
/// whoever has the leave to (`WriteScope`).
///
/// What was asked for is kept as it came; that it reads is known from the start. Whether it can be done is known when
/// it is checked or applied, since that depends on what is there.
package struct FlagOperation: Sendable {
    /// What kinds there are, by the names of what is stored.
    package enum Kind: String, Sendable, CaseIterable {
        case createFlag, replaceFlag, patchFlag, deleteFlag
        case setOverride, removeOverride
        case setKillSwitch, endKillSwitch
        case createSegment, replaceSegment, patchSegment, deleteSegment
        case editSegmentKeys, replaceSegmentKeys
        case rollbackFlag, rollbackSegment, rollbackOverride
        case archiveFlag, unarchiveFlag, restoreFlag, promoteFlag

        /// Whether there is something to say beside the names.
        package var takesBody: Bool { ![.deleteFlag, .removeOverride, .deleteSegment].contains(self) }
        /// Whether there need not be.
        package var mayLackBody: Bool { !takesBody || [.archiveFlag, .unarchiveFlag, .restoreFlag].contains(self) }
        /// Whether a reason is part of what is stored, so that the body's is read with the rest of it.
        fileprivate var storesReason: Bool { [.setOverride, .setKillSwitch, .endKillSwitch].contains(self) }
    }

    /// What it does.
    package let kind: Kind
    /// The key of the flag or the name of the segment that it is about; nil where the body names it.
    package let name: String?
    /// The tenant whose override it is about; nil for others.
    package let tenant: String?
    /// What was asked for; nil where there is nothing to say beside the names.
    package let body: JSONValue?
    /// Why, as the body says.
    package let reason: String?
    /// Whether the body says that it cannot wait for anybody.
    package let isEmergency: Bool
    /// The version that the flag or segment must have, or what stands for that of an override (`FlagReader.version`);
    /// nil for whichever it has.
    package var expectedVersion: Int64?
    /// The environment that the body names; nil where it names none.
    package let bodyEnvironment: Environment?
    /// The same, read.
    let change: Change

    /// What is to be done, read from a body.
    enum Change: Sendable {
        case createFlag(FlagDraft)
        case replaceFlag(FlagDraft)
        case patchFlag(String, FlagPatch)
        case deleteFlag(String)
        case setOverride(TenantOverrideDraft)
        case removeOverride(tenant: String, flagKey: String)
        case setKillSwitch(KillSwitchDraft)
        case endKillSwitch(KillSwitchEnd)
        case createSegment(SegmentDraft)
        case replaceSegment(SegmentDraft)
        case patchSegment(String, SegmentPatch)
        case deleteSegment(String)
        case editSegmentKeys(String, SegmentKeyEdit)
        case replaceSegmentKeys(String, [String])
        case rollbackFlag(String, VersionName)
        case rollbackSegment(String, VersionName)
        case rollbackOverride(tenant: String, flagKey: String, VersionName)
        case setArchived(String, Bool)
        case restoreFlag(String, FlagRestoration)
        case promoteFlag(String, FlagPromotion)
    }

    /// Reads what is asked for. O(body).
    ///
    /// - Parameters:
    ///   - name: the key of the flag or the name of the segment, where the kind is about one that is there.
    ///   - tenant: of an override.
    ///   - body: what to make of it, where the kind takes that.
    ///   - expectedVersion: the version that the flag or segment must have.
    /// - Throws: everything that is wrong with the body.
    package init(
        _ kind: Kind, of name: String? = nil, tenant: String? = nil, body: JSONValue? = nil,
        expecting expectedVersion: Int64? = nil
    ) throws(DefinitionIssues) {
        let (content, isEmergency) = try FlagOperation.emergency(body)
        let (body, reason) = try FlagOperation.reason(kind, content)
        change = try FlagOperation.change(kind, name ?? "", tenant ?? "", body ?? .null)
        self.reason = reason
        self.isEmergency = isEmergency
        self.kind = kind
        self.name = name
        self.tenant = tenant
        self.body = body
        self.expectedVersion = expectedVersion
        bodyEnvironment =
            switch change {
            case .createFlag(let draft): draft.environment
            case .setKillSwitch(let draft): draft.environment
            case .endKillSwitch(let end): end.environment
            case .createSegment(let draft): draft.environment
            case .promoteFlag(_, let promotion): promotion.target
            default: nil
            }
    }

    /// The environment that is only looked at, where there is one: whoever has it done must be allowed to see it.
    package var readEnvironment: Environment? {
        if case .promoteFlag(_, let promotion) = change { promotion.source } else { nil }
    }

    /// Takes the reason out of a body where it is about the change and not about what is stored.
    private static func reason(
        _ kind: Kind, _ body: JSONValue?
    ) throws(DefinitionIssues) -> (body: JSONValue?, reason: String?) {
        guard case .object(var object)? = body, let value = object[reasonName] else { return (body, nil) }
        if kind.storesReason { return (body, value.stringValue) }
        let complaint =
            if let text = value.stringValue { TextRule.reason.complaint(about: text) } else { "must be a text" }
        if let complaint {
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "/\(reasonName)", message: complaint)])
        }
        object[reasonName] = nil
        return (.object(object), value.stringValue)
    }

    private static let reasonName = "reason"

    /// Takes out of a body whether the change cannot wait.
    private static func emergency(
        _ body: JSONValue?
    ) throws(DefinitionIssues) -> (body: JSONValue?, isEmergency: Bool) {
        guard case .object(var object)? = body, let value = object[emergencyName] else { return (body, false) }
        guard let isEmergency = value.boolValue else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "/\(emergencyName)", message: "must be true or false")
            ])
        }
        object[emergencyName] = nil
        return (.object(object), isEmergency)
    }

    private static let emergencyName = "emergency"

    private static func change(
        _ kind: Kind, _ name: String, _ tenant: String, _ body: JSONValue
    ) throws(DefinitionIssues) -> Change {
        switch kind {
        case .createFlag: .createFlag(try FlagDraft(json: body))
        case .replaceFlag: .replaceFlag(try FlagDraft(json: body, key: name))
        case .patchFlag: .patchFlag(name, try FlagPatch(json: body))
        case .deleteFlag: .deleteFlag(name)
        case .setOverride: .setOverride(try TenantOverrideDraft(json: body, tenant: tenant, flagKey: name))
        case .removeOverride: .removeOverride(tenant: tenant, flagKey: name)
        case .setKillSwitch: .setKillSwitch(try KillSwitchDraft(json: body))
        case .endKillSwitch: .endKillSwitch(try KillSwitchEnd(json: body))
        case .createSegment: .createSegment(try SegmentDraft(json: body))
        case .replaceSegment: .replaceSegment(try SegmentDraft(json: body, name: name))
        case .patchSegment: .patchSegment(name, try SegmentPatch(json: body))
        case .deleteSegment: .deleteSegment(name)
        case .editSegmentKeys: .editSegmentKeys(name, try SegmentKeyEdit(json: body))
        case .replaceSegmentKeys: .replaceSegmentKeys(name, try SegmentKeyEdit.keys(json: body))
        case .rollbackFlag: .rollbackFlag(name, try VersionName(body: body))
        case .rollbackSegment: .rollbackSegment(name, try VersionName(body: body))
        case .rollbackOverride: .rollbackOverride(tenant: tenant, flagKey: name, try VersionName(body: body))
        case .archiveFlag, .unarchiveFlag: .setArchived(name, try isArchived(after: kind, body))
        case .restoreFlag: .restoreFlag(name, try FlagRestoration(body: body))
        case .promoteFlag: .promoteFlag(name, try FlagPromotion(body: body))
        }
    }
}

extension FlagOperation {
    /// Whether a flag is put away afterwards; a body has nothing more to say of that.
    private static func isArchived(after kind: Kind, _ body: JSONValue) throws(DefinitionIssues) -> Bool {
        if !body.isNull {
            var reader = FieldReader(body: body, "with nothing in it but a reason, or be left out")
            try reader.finish()
        }
        return kind == .archiveFlag
    }
}

/// What a change left.
package enum Written: Sendable {
    case flag(FlagRecord)
    case override(TenantOverrideRecord)
    case killSwitch(KillSwitchRecord)
    /// A segment, and how many keys it lists where that is known without asking the caches.
    case segment(SegmentRecord, keyCount: Int? = nil)
    /// A flag that was brought back, and how many of its overrides were.
    case restored(FlagRecord, overrides: Int)
    /// What a promotion changed.
    case promoted(FlagPromotion.Effect)
    /// What it was about is not there any more.
    case gone
}

extension FlagOperation {
    /// The operation as it is stored and shown.
    package var json: JSONValue {
        var object: JSONObject = ["operation": .string(kind.rawValue)]
        if let name { object["name"] = .string(name) }
        if let tenant { object["tenantId"] = .string(tenant) }
        if let expectedVersion { object["expectedVersion"] = .integer(expectedVersion) }
        if let body { object["body"] = body }
        if let reason, !kind.storesReason { object["reason"] = .string(reason) }
        return .object(object)
    }

    /// Reads what `json` gave.
    ///
    /// - Throws: what is wrong with it.
    package init(json: JSONValue) throws(DefinitionIssues) {
        guard let kind = json["operation"]?.stringValue.flatMap(Kind.init(rawValue:)) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "/operation", message: "must be one of \(kinds)")])
        }
        var body = json["body"]
        if let reason = json[FlagOperation.reasonName], case .object(var object)? = body, !kind.storesReason {
            object[FlagOperation.reasonName] = reason
            body = .object(object)
        }
        try self.init(
            kind, of: json["name"]?.stringValue, tenant: json["tenantId"]?.stringValue, body: body,
            expecting: json["expectedVersion"]?.numberValue?.int64)
    }
}
