import DynamoTable
import FlagCore
import JSON

/// One entry of the history of a flag or a segment.
package struct FlagHistoryEntry: Sendable, Equatable {
    /// What happened.
    package enum Event: Sendable, Equatable {
        /// It was created.
        case created
        /// What it says was changed; of a segment without attributes, the keys that it lists.
        case changed
        /// It was deleted.
        case deleted
        /// An item was written that is not valid: what is wrong with it. The last valid form stays in force.
        case refused([DefinitionIssue])
        /// Its kill switch was set: by whom and why, as far as whoever did it said.
        case killed(by: String?, reason: String?)
        /// Its kill switch ended: by whom and why, as far as whoever did it said.
        case revived(by: String?, reason: String?)

        /// The event's name in the interface.
        package var name: String {
            switch self {
            case .created: "created"
            case .changed: "changed"
            case .deleted: "deleted"
            case .refused: "refused"
            case .killed: "killed"
            case .revived: "revived"
            }
        }
    }

    /// The change's place in the change stream.
    package var sequence: Int64
    /// When.
    package var at: Timestamp
    /// By whom, as in `command import`.
    package var by: String
    /// What happened.
    package var event: Event
    /// The names of the attributes that differ from before, sorted; none for what is new or gone.
    package var attributes: [String] = []
}

extension FlagHistoryEntry {
    /// The entry that a change of a flag, kill switch or segment makes; nil for a change of anything else, and for one
    /// that only concerns derived attributes.
    ///
    /// - Returns: the partition of the history with it.
    static func of(_ change: Change) -> (partition: String, entry: FlagHistoryEntry)? {
        let event: Event
        let partition: String
        var attributes: [String] = []
        switch ItemKey(change.key) {
        case .flag(let environment, let key)?:
            guard DerivedAttributes.isContentChanged(from: change.oldItem, to: change.newItem) else { return nil }
            event = Event(change) { item in
                if case .invalid(let issues, _) = FlagReadingOfItem(item, environment: environment, key: key) {
                    issues
                } else {
                    []
                }
            }
            partition = FlagHistoryTable.historyPartition(environment, key)
            attributes = difference(change)
        case .segment(let environment, let name)?:
            // A call that changes the listed keys raises the version, and nothing else of the segment's own item.
            guard
                DerivedAttributes.isContentChanged(from: change.oldItem, to: change.newItem)
                    || change.principal != FlagTableFollower.principal
            else { return nil }
            event = Event(change) { item in SegmentRecord.issues(of: item, environment: environment, name: name) }
            partition = FlagHistoryTable.historyPartition(environment, segment: name)
            attributes = difference(change)
        case .killSwitch(let environment, let key?)?:
            guard let killSwitch = KillSwitchChange(change) else { return nil }
            let (actor, reason) = (killSwitch.actor, killSwitch.reason)
            event = killSwitch.isOn ? .killed(by: actor, reason: reason) : .revived(by: actor, reason: reason)
            partition = FlagHistoryTable.historyPartition(environment, key)
        default:
            return nil
        }
        let entry = FlagHistoryEntry(
            sequence: change.sequence, at: Timestamp(millisecondsSinceEpoch: change.committedAt),
            by: change.principal.description, event: event, attributes: attributes)
        return (partition, entry)
    }

    private static func difference(_ change: Change) -> [String] {
        guard let old = change.oldItem, let new = change.newItem else { return [] }
        let names = Set(old.keys).union(new.keys).subtracting(DerivedAttributes.names)
        return names.filter { old[$0] != new[$0] }.map(\.text).sorted()
    }
}

extension FlagHistoryEntry.Event {
    /// What a change did to a flag or a segment.
    ///
    /// - Parameter issues: what is wrong with an item.
    fileprivate init(_ change: Change, issues: (Item) -> [DefinitionIssue]) {
        guard let new = change.newItem else {
            self = .deleted
            return
        }
        let issues = issues(new)
        if issues.isEmpty { self = change.oldItem == nil ? .created : .changed } else { self = .refused(issues) }
    }

    /// Who and why, by the members' names in the interface, which are also the attributes' of a stored entry.
    fileprivate var words: [(name: String, text: String)] {
        let actor: (name: AttributeName, text: String?)
        let reason: String?
        switch self {
        case .killed(let by, let why): (actor, reason) = ((Attribute.activatedBy, by), why)
        case .revived(let by, let why): (actor, reason) = ((Attribute.deactivatedBy, by), why)
        case .created, .changed, .deleted, .refused: return []
        }
        return [(actor.name, actor.text), (Attribute.reason, reason)].compactMap { name, text in
            text.map { (name.text, $0) }
        }
    }
}

// MARK: - Forms

extension FlagHistoryEntry {
    private typealias Name = FlagHistoryTable.Name

    /// The entry as an item of the internal table.
    func item(in partition: String) -> Item {
        var item: Item = [
            Attribute.partition: .string(partition),
            Attribute.sort: .string(FlagHistoryTable.sort(sequence)),
            Name.at: .string(at.rfc3339), Name.by: .string(by), Name.change: .string(event.name),
        ]
        if !attributes.isEmpty { item[Name.attributes] = .list(attributes.map { .string($0) }) }
        for (name, text) in event.words { item[AttributeName(name)] = .string(text) }
        if case .refused(let issues) = event {
            item[Name.issues] = .list(
                issues.prefix(Self.issuesMaximum).map { issue in
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
        let reason = item[Attribute.reason]?.stringValue
        let known: [Event] = [
            .created, .changed, .deleted, .refused(Self.issues(in: item)),
            .killed(by: item[Attribute.activatedBy]?.stringValue, reason: reason),
            .revived(by: item[Attribute.deactivatedBy]?.stringValue, reason: reason),
        ]
        guard let event = known.first(where: { $0.name == change }) else { return nil }
        self.init(
            sequence: sequence, at: at, by: by, event: event,
            attributes: item[Name.attributes]?.listValue?.compactMap(\.stringValue) ?? [])
    }

    private static func issues(in item: Item) -> [DefinitionIssue] {
        (item[Name.issues]?.listValue ?? []).compactMap { value in
            guard let members = value.mapValue, let pointer = members[Name.pointer]?.stringValue,
                let message = members[Name.message]?.stringValue
            else { return nil }
            return DefinitionIssue(pointer: pointer, message: message)
        }
    }

    /// The entry as the interface shows it.
    package var json: JSONValue {
        var object = JSONObject()
        object["at"] = .string(at.rfc3339)
        object["by"] = .string(by)
        object["change"] = .string(event.name)
        if !attributes.isEmpty { object["attributes"] = .array(attributes.map { .string($0) }) }
        for (name, text) in event.words { object[name] = .string(text) }
        if case .refused(let issues) = event {
            object["issues"] = .array(
                issues.map { issue in
                    ["pointer": .string(issue.pointer), "detail": .string(issue.message)]
                })
        }
        return .object(object)
    }
}

extension FlagRepository {
    /// The latest entries of a flag's history, the newest first: also of a flag that is gone. Entries follow the
    /// changes within moments. Blocks.
    ///
    /// - Parameter limit: at most so many.
    package func history(
        of key: String, in environment: Environment, limit: Int = FlagLimits.historyEntries
    ) throws(FlagStoreError) -> [FlagHistoryEntry] {
        try history(in: FlagHistoryTable.historyPartition(environment, key), limit: limit)
    }

    /// The same of a segment.
    package func history(
        ofSegment name: String, in environment: Environment, limit: Int = FlagLimits.historyEntries
    ) throws(FlagStoreError) -> [FlagHistoryEntry] {
        try history(in: FlagHistoryTable.historyPartition(environment, segment: name), limit: limit)
    }

    private func history(in partition: String, limit: Int) throws(FlagStoreError) -> [FlagHistoryEntry] {
        let query = Query(
            table: FlagHistoryTable.name(beside: table), partition: .string(partition), forward: false, limit: limit)
        let page = try reading { () throws(TableError) in try store.query(query) }
        return page.items.compactMap { FlagHistoryEntry(item: $0) }
    }
}
