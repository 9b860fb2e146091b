import Bytes
import DynamoModel
import FlagCore
import JSON

/// A segment as somebody wants it: the body of a create or replace, checked.
///
/// What a read answered may be edited and sent back: `environment`, `version`, `createdAt`, `updatedAt` are taken, and
/// checked when the draft is written; `keyCount` is not looked at.
package struct SegmentDraft: Sendable {
    /// The segment's name.
    package var name: String
    /// Whom it is meant for.
    package var description: String
    /// Who answers for it.
    package var owner: String
    /// The condition as JSON text; checked.
    package var condition: String?

    /// The environment that the sender believes to write to.
    package var environment: Environment?
    /// The version that the sender changes.
    package var version: Int64?
    /// The creation time that the sender read.
    package var createdAt: Timestamp?
    /// The time of the last change that the sender read.
    package var updatedAt: Timestamp?
    /// The keys that a file lists; nil when it does not speak of keys.
    package var keys: [String]?

    /// What a segment says already, beside its keys.
    init(_ record: SegmentRecord) {
        name = record.name
        description = record.description
        owner = record.owner
        condition = record.condition
    }

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - json: the body.
    ///   - name: the name in the path, which the body may then leave out but not contradict.
    ///   - pointer: where the body lies in what was sent.
    ///   - takesKeys: whether it may list keys, as in a file.
    /// - Throws: everything that is wrong, unknown members included. O(body).
    package init(
        json: JSONValue, name: String? = nil, at pointer: JSONPointer = JSONPointer(), takesKeys: Bool = false
    ) throws(DefinitionIssues) {
        guard case .object(let object) = json else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an object that describes a segment")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        let named = reader.text("name", .segmentName, isRequired: name == nil)
        if let name, let named, !name.utf8.elementsEqual(named.utf8) {
            reader.report("name", "must be the name in the path, or be left out")
        }
        self.name = name ?? named ?? ""
        description = reader.text("description", .description, isRequired: true) ?? ""
        owner = reader.text("owner", .owner, isRequired: true) ?? ""
        if let condition = reader.value("condition") {
            do throws(DefinitionIssues) {
                let place = pointer.appending("condition")
                self.condition = try SegmentCondition(validating: condition, at: place).json.serialized()
                reader.report(NumberCheck(condition, at: place).issues)
            } catch {
                reader.report(error.issues)
            }
        }
        environment = reader.environment("environment")
        version = reader.version("version")
        createdAt = reader.time("createdAt")
        updatedAt = reader.time("updatedAt")
        if takesKeys, let list = reader.value("keys") {
            do throws(DefinitionIssues) {
                keys = try SegmentKeyList(list, at: pointer.appending("keys"), limit: FlagLimits.segmentKeys).keys
            } catch {
                reader.report(error.issues)
            }
        }
        _ = reader.value("keyCount")
        try reader.finish()
    }

    /// The segment as it is to be stored.
    package func record(
        in environment: Environment, createdAt: Timestamp, updatedAt: Timestamp, version: Int64
    ) -> SegmentRecord {
        SegmentRecord(
            environment: environment, name: name, description: description, owner: owner, condition: condition,
            createdAt: createdAt, updatedAt: updatedAt, version: version)
    }

    /// What contradicts the environment, or the segment that is to be replaced.
    func issues(in environment: Environment, asFormOf current: SegmentRecord?) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        if let named = self.environment, named != environment { issues.append(.wrongEnvironment(named, environment)) }
        guard let current else { return issues }
        if let createdAt, createdAt != current.createdAt {
            let message = "cannot be changed: the segment has \(current.createdAt.rfc3339)"
            issues.append(DefinitionIssue(pointer: "/createdAt", message: message))
        }
        if let updatedAt, updatedAt != current.updatedAt {
            let message = "is set by the server: the segment has \(current.updatedAt.rfc3339); leave it out"
            issues.append(DefinitionIssue(pointer: "/updatedAt", message: message))
        }
        return issues
    }
}

/// A list of keys as somebody sent it, checked, each once.
struct SegmentKeyList {
    /// The keys, in the order in which they were first named.
    let keys: [String]

    /// How many issues are listed: a list of a thousand wrong keys has one mistake.
    private static let issuesMaximum = 20

    /// Reads a list.
    ///
    /// - Throws: everything that is wrong with it.
    init(_ json: JSONValue, at pointer: JSONPointer, limit: Int) throws(DefinitionIssues) {
        guard let elements = json.arrayValue else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: pointer.description, message: "must be an array of strings")
            ])
        }
        var issues: [DefinitionIssue] = []
        if elements.count > limit {
            let message = "has \(elements.count) keys: at most \(limit) are allowed"
            issues.append(DefinitionIssue(pointer: pointer.description, message: message))
        }
        var known: Set<ExactText> = []
        var keys: [String] = []
        for (index, element) in elements.enumerated() where issues.count < Self.issuesMaximum {
            let complaint = element.stringValue.map { TextRule.segmentKey.complaint(about: $0) } ?? "must be a string"
            if let complaint {
                issues.append(DefinitionIssue(pointer: pointer.appending(index).description, message: complaint))
            } else if let key = element.stringValue, known.insert(ExactText(key)).inserted {
                keys.append(key)
            }
        }
        guard issues.isEmpty else { throw DefinitionIssues(issues: issues) }
        self.keys = keys
    }
}

/// A partial change of a segment (RFC 7396).
package struct SegmentPatch: Sendable {
    private let patch: MergePatch

    /// Reads a body.
    ///
    /// - Throws: when it is no object, or changes nothing.
    package init(json: JSONValue) throws(DefinitionIssues) {
        patch = try MergePatch(json: json)
    }

    /// The segment as it would be.
    ///
    /// - Throws: everything that would be wrong with it, and what is not valid in the stored segment and is not given.
    func applied(to reading: ItemReading<SegmentRecord>) throws(DefinitionIssues) -> SegmentDraft {
        let lost = reading.issues(besides: patch.members, of: SegmentPatch.content)
        guard lost.isEmpty else { throw DefinitionIssues(issues: lost) }
        let record = reading.record
        guard case .object(let object) = record.json(keyCount: nil) else {
            preconditionFailure("A segment is shown as an object")
        }
        return try SegmentDraft(json: .object(patch.applied(to: object)), name: record.name)
    }

    /// The attributes that a segment cannot do without, with the members that say the same.
    private static let content: [(attribute: AttributeName, members: [String])] = [
        (Attribute.description, ["description"]), (Attribute.owner, ["owner"]), (Attribute.createdAt, ["createdAt"]),
    ]
}

/// A change of the keys that a segment lists, as a body says it: `{"add"?: […], "remove"?: […]}`.
package struct SegmentKeyEdit: Sendable {
    /// Keys to list.
    package let add: [String]
    /// Keys to take out.
    package let remove: [String]

    /// A change.
    package init(add: [String] = [], remove: [String] = []) {
        self.add = add
        self.remove = remove
    }

    /// Reads a body.
    ///
    /// - Throws: everything that is wrong with it; a key may not be in both lists.
    package init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(json.objectValue ?? JSONObject(), at: JSONPointer())
        var lists: [String: [String]] = [:]
        for name in ["add", "remove"] {
            guard let list = reader.value(name) else { continue }
            do throws(DefinitionIssues) {
                let place = JSONPointer().appending(name)
                lists[name] = try SegmentKeyList(list, at: place, limit: FlagLimits.segmentKeys).keys
            } catch {
                reader.report(error.issues)
            }
        }
        add = lists["add"] ?? []
        remove = lists["remove"] ?? []
        let added = Set(add.map { ExactText($0) })
        if let both = remove.first(where: { added.contains(ExactText($0)) }) {
            reader.report("remove", "has \"\(both)\", which is in add as well")
        }
        try reader.finish()
        if lists.isEmpty {
            let message = #"must be an object with keys to add, to remove, or both: {"add": ["user-1"]}"#
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "", message: message)])
        }
    }

    /// Reads the body of a replacement, `{"keys": […]}`: the keys.
    ///
    /// - Throws: everything that is wrong with it.
    package static func keys(json: JSONValue) throws(DefinitionIssues) -> [String] {
        guard let list = json["keys"] else {
            let message = #"is required: all keys that are to be listed, as in {"keys": ["user-1"]}"#
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "/keys", message: message)])
        }
        var reader = FieldReader(json.objectValue ?? JSONObject(), at: JSONPointer())
        _ = reader.value("keys")
        try reader.finish()
        return try SegmentKeyList(list, at: JSONPointer().appending("keys"), limit: FlagLimits.segmentKeys).keys
    }
}
