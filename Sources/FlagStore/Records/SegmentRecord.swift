import Bytes
import DynamoModel
import FlagCache
import FlagCore
import JSON

/// A segment of one environment as it is stored: a named condition, beside which keys may be listed.
package struct SegmentRecord: Sendable, Equatable {
    /// The environment that the segment belongs to.
    package var environment: Environment
    /// The name, unique in its environment.
    package var name: String
    /// Whom the segment is meant for.
    package var description: String
    /// Who answers for it.
    package var owner: String
    /// The condition as JSON text; nil when only the listed keys count.
    package var condition: String?
    /// When it was created.
    package var createdAt: Timestamp
    /// When it, or its list of keys, was last changed.
    package var updatedAt: Timestamp
    /// 1 when created, one more with every change.
    package var version: Int64

    /// The segment as the interface shows it, members in a fixed order. What this answers may be edited and put back.
    ///
    /// - Parameter keyCount: how many keys are listed; nil leaves that out.
    package func json(keyCount: Int?) -> JSONValue {
        var object = JSONObject()
        object["name"] = .string(name)
        object["description"] = .string(description)
        // What is not even JSON is shown as it is, so that somebody can see what to repair.
        if let condition { object["condition"] = (try? JSONValue(parsing: condition)) ?? .string(condition) }
        object["owner"] = .string(owner)
        object["environment"] = .string(environment.rawValue)
        if let keyCount { object["keyCount"] = .integer(Int64(keyCount)) }
        object["createdAt"] = .string(createdAt.rfc3339)
        object["updatedAt"] = .string(updatedAt.rfc3339)
        object["version"] = .integer(version)
        return .object(object)
    }

    /// The segment's `ETag`: equal as long as nothing changed, of the keys at least their number.
    package func entityTag(keyCount: Int) -> String {
        let content = json(keyCount: keyCount).serialized()
        return "\"\(version)-\(String(ByteHash.fingerprint(content), radix: 16))\""
    }

    /// Whether both say the same, but for times and versions.
    func hasSameContent(as other: SegmentRecord) -> Bool { membersThatDiffer(from: other).isEmpty }

    /// The members in which two states of a segment differ, apart from what every change changes.
    package func membersThatDiffer(from other: SegmentRecord) -> [String] {
        JSONValue.differingMembers(
            json(keyCount: nil), other.json(keyCount: nil), except: ["createdAt", "updatedAt", "version"])
    }
}

// MARK: - As an item

extension SegmentRecord {
    /// The key of the segment's item.
    var itemKey: ItemKey { .segment(environment, name: name) }

    /// The segment as an item of the table, with every derived attribute.
    package var item: Item {
        var item: Item = [
            Attribute.partition: .string(itemKey.partition),
            Attribute.sort: .string(itemKey.sort),
            Attribute.segmentName: .string(name),
            Attribute.description: .string(description),
            Attribute.owner: .string(owner),
            Attribute.environment: .string(environment.rawValue),
            Attribute.createdAt: .string(createdAt.rfc3339),
            Attribute.updatedAt: .string(updatedAt.rfc3339),
            Attribute.version: .number(version),
            Attribute.flagsPartition: .string(ItemKey.segmentsPartition(environment)),
            Attribute.flagsSort: .string("SEGMENT#\(name)"),
        ]
        if let condition { item[Attribute.condition] = .string(condition) }
        return item
    }

    /// Reads a segment's item. Only what an operator would type is required: the keys, `description`, `owner`,
    /// `createdAt`; whatever is derived from these is not looked at.
    ///
    /// - Throws: everything that keeps the item from being a segment, by attribute; of the condition nothing.
    init(item: Item, environment: Environment, name: String) throws(DefinitionIssues) {
        let made = Timestamp(millisecondsSinceEpoch: 0)
        let reading = SegmentRecord.reading(item, environment: environment, name: name, at: made)
        guard reading.issues.isEmpty else { throw DefinitionIssues(issues: reading.issues) }
        self = reading.record
    }

    /// The segment that an item holds, with something made up in the place of what is not valid, and what that is.
    ///
    /// - Parameter now: made up for the time of creation.
    package static func reading(_ item: Item, environment: Environment, name: String, at now: Timestamp) -> ItemReading<
        Self
    > {
        var reader = AttributeReader(item)
        let typedName = reader.text(Attribute.segmentName, .segmentName, isRequired: false)
        if let typedName, !typedName.utf8.elementsEqual(name.utf8) {
            reader.report(Attribute.segmentName, "must be the name in PK")
        }
        let description = reader.text(Attribute.description, .description)
        let owner = reader.text(Attribute.owner, .owner)
        let createdAt = reader.time(Attribute.createdAt, isRequired: true)
        let record = SegmentRecord(
            environment: environment, name: name, description: description ?? name, owner: owner ?? "unknown",
            condition: item[Attribute.condition].map { $0.jsonText }, createdAt: createdAt ?? now,
            updatedAt: reader.derivedTime(Attribute.updatedAt) ?? createdAt ?? now, version: RecordVersion.of(item))
        return ItemReading(record: record, issues: reader.issues)
    }

    /// The condition, checked as far as that goes without other segments; nil when there is none.
    ///
    /// - Throws: everything that is wrong with it.
    package func parsedCondition(
        at pointer: JSONPointer = JSONPointer()
    ) throws(DefinitionIssues) -> SegmentCondition? {
        guard let condition else { return nil }
        let place = pointer.appending("condition")
        let json: JSONValue
        do { json = try JSONValue(parsing: condition) } catch {
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: place.description, message: "is not JSON: \(error)")
            ])
        }
        return try SegmentCondition(validating: json, at: place)
    }

    /// What evaluation needs of the segment.
    ///
    /// - Throws: what is wrong with the condition.
    func head() throws(DefinitionIssues) -> SegmentHead { SegmentHead(condition: try parsedCondition()?.json) }

    /// The same of an item.
    ///
    /// - Throws: everything that keeps the item from being a segment, the condition included.
    static func head(
        of item: Item, environment: Environment, name: String
    ) throws(DefinitionIssues) -> SegmentHead {
        try SegmentRecord(item: item, environment: environment, name: name).head()
    }

    /// Everything that keeps an item from being a segment.
    static func issues(of item: Item, environment: Environment, name: String) -> [DefinitionIssue] {
        do throws(DefinitionIssues) { _ = try head(of: item, environment: environment, name: name) } catch {
            return error.issues
        }
        return []
    }

    /// What is wrong with the segment's size as an item.
    package var sizeIssues: [DefinitionIssue] {
        let bytes = item.storedBytes
        guard bytes > FlagLimits.storedFlagBytes else { return [] }
        let message = "is \(bytes) bytes as it is stored: at most \(FlagLimits.storedFlagBytes) are allowed"
        return [DefinitionIssue(pointer: "", message: message)]
    }
}
