import DynamoModel
import FlagCore
import JSON

extension FlagHistoryEntry {
    private typealias Name = FlagHistoryTable.Name

    /// Who and why, as far as whoever did it said, by the members' names in the interface, which are also the
    /// attributes' of a stored entry.
    private var words: [(name: String, text: String)] {
        let words: [(AttributeName, String?)]
        switch event {
        case .killed(let by, let written): words = [(Attribute.activatedBy, by), (Attribute.reason, reason ?? written)]
        case .revived(let by, let written):
            words = [(Attribute.deactivatedBy, by), (Attribute.reason, reason ?? written)]
        case .created, .changed, .deleted, .found, .refused, .overridesChanged:
            words = [
                (Attribute.tenantId, override?.tenant), (Attribute.updatedBy, override?.updatedBy),
                (Attribute.reason, reason ?? override?.reason),
            ]
        }
        return (words + [(Name.requestID, requestID)]).compactMap { name, text in text.map { (name.text, $0) } }
    }

    /// The entry as an item of the internal table.
    func item(in partition: String) -> Item {
        var item: Item = [
            Attribute.partition: .string(partition),
            Attribute.sort: .string(FlagHistoryTable.sort(sequence)),
            Name.at: .string(at.rfc3339), Name.by: .string(by), Name.change: .string(change),
        ]
        if !attributes.isEmpty { item[Name.attributes] = .list(attributes.map { .string($0) }) }
        if !details.isEmpty { item[Name.details] = .string(JSONValue.object(details).serialized()) }
        for (name, text) in words { item[AttributeName(name)] = .string(text) }
        if let version { item[Attribute.version] = .number(version) }
        content.add(to: &item)
        if case .refused(let issues) = event {
            let first = issues.prefix(Self.issuesMaximum).prefix(bytes: FlagLimits.historyEntryBytes) {
                $0.pointer.utf8.count + $0.message.utf8.count
            }
            item[Name.issues] = .list(
                first.map { issue in
                    .map([Name.pointer: .string(issue.pointer), Name.message: .string(issue.message)])
                })
        }
        return item
    }

    /// How many issues an entry holds at most.
    private static let issuesMaximum = 100

    /// Reads what `item` writes; nil when it is something else.
    init?(item: Item) {
        guard let sequence = item[Attribute.sort]?.stringValue.flatMap({ Int64($0) }),
            let at = item[Name.at]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let by = item[Name.by]?.stringValue, let change = item[Name.change]?.stringValue
        else { return nil }
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        let reason = text(Attribute.reason)
        let known: [Event] = [
            .created, .changed, .deleted, .found, .refused(Self.issues(in: item)),
            .killed(by: text(Attribute.activatedBy), reason: reason),
            .revived(by: text(Attribute.deactivatedBy), reason: reason), .overridesChanged,
        ]
        let tenant = change.hasPrefix(Self.overridePrefix) ? text(Attribute.tenantId) : nil
        let name = tenant == nil ? change : String(change.dropFirst(Self.overridePrefix.count))
        guard let event = known.first(where: { $0.name == name }) else { return nil }
        self.init(
            sequence: sequence, at: at, by: by, event: event,
            override: tenant.map { Override(tenant: $0, updatedBy: text(Attribute.updatedBy), reason: reason) },
            attributes: item[Name.attributes]?.listValue?.compactMap(\.stringValue) ?? [])
        if let details = text(Name.details).flatMap({ try? JSONValue(parsing: $0) })?.objectValue {
            self.details = details
        }
        self.reason = reason
        version = item[Attribute.version]?.int64Value
        requestID = text(Name.requestID)
        content = KeptContent(item)
    }

    private static func issues(in item: Item) -> [DefinitionIssue] {
        (item[Name.issues]?.listValue ?? []).compactMap { value in
            guard let members = value.mapValue, let pointer = members[Name.pointer]?.stringValue,
                let message = members[Name.message]?.stringValue
            else { return nil }
            return DefinitionIssue(pointer: pointer, message: message)
        }
    }

    /// The names of what `init(item:)` reads but for the content, which is much where lists show nothing of it.
    static let listedNames: [AttributeName] = [
        Name.at, Name.by, Name.change, Name.attributes, Name.details, Name.issues, Name.contentBytes, Name.requestID,
        Attribute.version, Attribute.reason, Attribute.tenantId, Attribute.updatedBy, Attribute.activatedBy,
        Attribute.deactivatedBy,
    ]

    /// The entry as the interface shows it, without the content.
    package var json: JSONValue {
        var object = JSONObject()
        object["at"] = .string(at.rfc3339)
        object["by"] = .string(by)
        object["change"] = .string(change)
        object["entry"] = .integer(sequence)
        // An override has no number; its versions are named by the entries that made them.
        if let version = version ?? (override != nil && content.isKept ? sequence : nil) {
            object["version"] = .integer(version)
        }
        for (name, text) in words { object[name] = .string(text) }
        if !attributes.isEmpty { object["attributes"] = .array(attributes.map { .string($0) }) }
        for (name, value) in details.members { object[name] = value }
        if case .refused(let issues) = event {
            object["issues"] = .array(
                issues.map { issue in
                    ["pointer": .string(issue.pointer), "detail": .string(issue.message)]
                })
        }
        return .object(object)
    }
}
