import Bytes
import FlagCore
import JSON

/// A flag as somebody wants it: the body of a create or replace, checked.
///
/// A body is the simple or the full spelling side by side with `flagKey`, `description`, `owner`, `expiresAt`, `tags`,
/// `clientSide`, `archived`, `approvals`.
/// What a read answered may be edited and sent back: `environment`, `version`, `createdAt`, `updatedAt` are taken, and
/// checked when the draft is written; `stale` and `killSwitch`, which follow from other things, are passed over.
package struct FlagDraft: Sendable {
    /// The flag's key.
    package var key: String
    /// What the flag is for.
    package var description: String
    /// Who answers for it.
    package var owner: String
    /// How it decides; checked.
    package var rule: FlagRule
    /// Whether the rule is invalid and is to be stored all the same.
    package var isKeptInvalid = false
    /// When the flag should be gone.
    package var expiresAt: Timestamp?
    /// Words to find it by, sorted, each once.
    package var tags: [String] = []
    /// Whether a key that lies in a browser or an app may evaluate it.
    package var isClientSide = false
    /// Whether it is put away: files say so; through the interface only `archive` and `unarchive` change it.
    package var isArchived = false
    /// How many others have to agree to a change of it.
    package var approvals = 0

    /// The environment that the sender believes to write to.
    package var environment: Environment?
    /// The version that the sender changes.
    package var version: Int64?
    /// The creation time that the sender read.
    package var createdAt: Timestamp?
    /// The time of the last change that the sender read.
    package var updatedAt: Timestamp?

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - json: the body.
    ///   - key: the key that the path names, which the body may then leave out but not contradict.
    ///   - pointer: where the body lies in what was sent.
    /// - Throws: everything that is wrong, unknown members included. O(body).
    package init(
        json: JSONValue, key: String? = nil, at pointer: JSONPointer = JSONPointer()
    ) throws(DefinitionIssues) {
        let reading = try FlagReading(json, key: key, at: pointer)
        let issues = reading.fieldIssues + reading.ruleIssues
        guard issues.isEmpty, let draft = reading.draft else { throw DefinitionIssues(issues: issues) }
        self = draft
    }

    /// What a flag is already.
    init(_ record: FlagRecord) {
        self.init(key: record.key, description: record.description, owner: record.owner, rule: record.rule)
        isKeptInvalid = record.isKeptInvalid
        expiresAt = record.expiresAt
        tags = record.tags
        isClientSide = record.isClientSide
        isArchived = record.isArchived
    }

    /// A draft of these, without anything else.
    package init(key: String, description: String, owner: String, rule: FlagRule) {
        self.key = key
        self.description = description
        self.owner = owner
        self.rule = rule
    }
}

/// A body that has been read, with what is wrong with the rule apart from what is wrong with the rest: an import may
/// keep a flag whose rule is invalid.
package struct FlagReading {
    /// The flag; nil when not even its key is usable. Complete only when there are no issues: what is missing is filled
    /// in (`imported` as owner, the key as description, the rule as it was sent).
    package private(set) var draft: FlagDraft?
    /// What is wrong with everything but the rule.
    package private(set) var fieldIssues: [DefinitionIssue] = []
    /// What is wrong with the rule.
    package private(set) var ruleIssues: [DefinitionIssue] = []

    /// Reads `json`.
    ///
    /// - Throws: when it is no object.
    package init(_ json: JSONValue, key: String?, at pointer: JSONPointer) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an object that describes a flag")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        let namedKey = reader.text("flagKey", .flagKey, isRequired: key == nil)
        if let key, let namedKey, !key.utf8.elementsEqual(namedKey.utf8) {
            reader.report("flagKey", "must be the key in the path, or be left out")
        }
        let description = reader.text("description", .description, isRequired: true)
        let owner = reader.text("owner", .owner, isRequired: true)
        var rule = readRule(object, &reader, at: pointer)
        if let requires = reader.value("requires"), requires.arrayValue?.isEmpty != true {
            rule.requires = requires.serialized()
            do throws(DefinitionIssues) { _ = try rule.prerequisites(at: pointer) } catch { ruleIssues += error.issues }
        }
        // Read to the end also without a key: what is wrong is said at once, a misspelled flagKey above all.
        let usableKey = key ?? namedKey
        var draft = FlagDraft(
            key: usableKey ?? "", description: description ?? usableKey ?? "", owner: owner ?? "imported", rule: rule)
        draft.isKeptInvalid = !ruleIssues.isEmpty
        draft.expiresAt = reader.time("expiresAt")
        draft.tags = FlagReading.tags(&reader, at: pointer)
        draft.isClientSide = reader.flag("clientSide") ?? false
        draft.isArchived = reader.flag("archived") ?? false
        draft.approvals = reader.integer("approvals", in: FlagApprovals.range) ?? 0
        draft.environment = reader.environment("environment")
        draft.version = reader.version("version")
        draft.createdAt = reader.time("createdAt")
        draft.updatedAt = reader.time("updatedAt")
        _ = reader.flag("stale")
        _ = reader.value("killSwitch")
        // Null would say that it is to end.
        if let killSwitch = object["killSwitch"], killSwitch.objectValue == nil {
            reader.report("killSwitch", KillSwitchDraft.advice)
        }
        reader.reportUnknown()
        if usableKey != nil { self.draft = draft }
        fieldIssues = reader.issues
    }

    private mutating func readRule(
        _ object: JSONObject, _ reader: inout FieldReader, at pointer: JSONPointer
    ) -> FlagRule {
        var definition = JSONObject()
        for name in FlagRule.definitionMembers {
            _ = reader.value(name)
            // A definition may have null: "defaultVariant": null says something.
            if let value = object[name] { definition[name] = value }
        }
        let defaultEnabled = reader.flag("defaultEnabled")
        let rollout = reader.value("rollout")
        if definition.members.allSatisfy({ $0.value.isNull }) {
            if reader.value("defaultEnabled") == nil {
                reader.report(
                    "defaultEnabled",
                    "is required in the simple spelling; the full one has variants, defaultVariant, state, targeting")
            }
            let rule = FlagRule.simple(defaultEnabled: defaultEnabled ?? false, rollout: rollout?.serialized())
            do throws(DefinitionIssues) { _ = try rule.parsedRollout(at: pointer) } catch { ruleIssues = error.issues }
            return rule
        }
        if rollout != nil {
            reader.report(
                "rollout",
                "does not go with the full spelling: fractional in targeting makes the same buckets; or leave out "
                    + FlagRule.definitionMembers.joined(separator: ", "))
        }
        if defaultEnabled != nil {
            reader.report("defaultEnabled", "does not go with the full spelling: defaultVariant says the same")
        }
        do {
            let checked = try FlagDefinition(wanted: .object(definition), at: pointer)
            return .full(checked.json.serialized())
        } catch {
            ruleIssues = error.issues
            return .full(JSONValue.object(definition).serialized())
        }
    }

    /// The tags, sorted and each once; issues are noted with the tag's own pointer.
    private static func tags(_ reader: inout FieldReader, at pointer: JSONPointer) -> [String] {
        switch reader.value("tags") {
        case nil:
            return []
        case .array(let values)?:
            if values.count > FlagLimits.tags {
                reader.report("tags", "has \(values.count) tags: at most \(FlagLimits.tags) are allowed")
            }
            var tags: Set<ExactText> = []
            for (index, value) in values.enumerated() {
                let complaint =
                    value.stringValue.map { TextRule.tag.complaint(about: $0) } ?? "must be a string"
                if let complaint {
                    let place = pointer.appending("tags").appending(index)
                    reader.report([DefinitionIssue(pointer: place.description, message: complaint)])
                } else if let tag = value.stringValue {
                    tags.insert(ExactText(tag))
                }
            }
            return tags.sorted().map(\.text)
        default:
            reader.report("tags", "must be an array of strings")
            return []
        }
    }
}
