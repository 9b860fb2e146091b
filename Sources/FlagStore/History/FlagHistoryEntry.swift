import DynamoModel
import FlagCore
import JSON

/// One entry of the history of a flag, with its overrides, or of a segment.
package struct FlagHistoryEntry: Sendable, Equatable {
    /// What happened.
    package enum Event: Sendable, Equatable {
        /// It was created.
        case created
        /// What it says was changed; of a segment without attributes, the keys that it lists.
        case changed
        /// It was deleted.
        case deleted
        /// It was there before anything that it said was kept: what it said then. By whom is not known.
        case found
        /// An item was written that is not valid: what is wrong with it. The last valid form stays in force.
        case refused([DefinitionIssue])
        /// Its kill switch was set: by whom and why, as far as whoever did it said.
        case killed(by: String?, reason: String?)
        /// Its kill switch ended: by whom and why, as far as whoever did it said.
        case revived(by: String?, reason: String?)
        /// Many of its overrides were changed at once: `details` has how many.
        case overridesChanged

        /// The event's name in the interface.
        package var name: String {
            switch self {
            case .created: "created"
            case .changed: "changed"
            case .deleted: "deleted"
            case .found: "found"
            case .refused: "refused"
            case .killed: "killed"
            case .revived: "revived"
            case .overridesChanged: "overrides_changed"
            }
        }
    }

    /// A tenant's override of a flag, and what whoever wrote it said of it.
    package struct Override: Sendable, Equatable {
        /// The tenant.
        package var tenant: String
        /// Who set it; nil when it is gone.
        package var updatedBy: String?
        /// Why.
        package var reason: String?
    }

    /// The change's place in the change stream.
    package var sequence: Int64
    /// When.
    package var at: Timestamp
    /// By whom, as in `command import`.
    package var by: String
    /// What happened.
    package var event: Event
    /// The override that it is about; nil for what is about the flag or segment itself.
    package var override: Override?
    /// The names of the attributes that differ from before, sorted; none for what is new or gone.
    package var attributes: [String] = []
    /// What the interface shows beside all that: `changes` (`ValueChanges`) with `moreChanges`, how many there was no
    /// room for; `overrides` or `keys` (`HistoryTallies`). Entries of former versions have none.
    package var details = JSONObject()
    /// The version that the flag or segment has then; of one that was deleted, the version that it had. Nil for an
    /// override, which has none, where what was written is not valid, and in entries of former releases.
    package var version: Int64?
    /// Why, as whoever did it said; nil where they did not, or said so only in what they wrote.
    package var reason: String?
    /// The request that asked for it; nil where that is not known.
    package var requestID: String?
    /// What the flag, override or segment says then; of one that was deleted, what it said.
    package var content = KeptContent.none

    /// What happened, and to what, by its name in the interface.
    package var change: String { override == nil ? event.name : Self.overridePrefix + event.name }

    /// What the name of an event begins with when it is about an override.
    static let overridePrefix = "override_"

    /// Whether somebody may see it who is bound to a tenant: nothing of the overrides of others.
    package func isFor(_ tenant: String) -> Bool {
        override.map { $0.tenant == tenant } ?? (event != .overridesChanged)
    }
}

extension FlagHistoryEntry {
    /// The entry that a change of a kill switch makes, or of the content of a flag, an override or a segment; nil for a
    /// change of anything else. O(item).
    ///
    /// - Parameter read: what a flag's new item is, where it has been read already.
    /// - Returns: the partition of the history with it.
    static func of(
        _ change: TableChange, read: FlagReadingOfItem? = nil
    ) -> (partition: String, entry: FlagHistoryEntry)? {
        switch ItemKey(change.key) {
        case .flag(let environment, let key)?:
            let reading =
                read ?? change.newItem.map { FlagReadingOfItem($0, environment: environment, key: key) }
            let event = Event(change) { _ in reading?.issues ?? [] }
            var entry = ofContent(change, event)
            if event.leavesContent {
                entry.version = change.version
                if let record = reading?.record {
                    entry.content = .object(record.content)
                } else {
                    entry.content = KeptContent(change) { item throws(DefinitionIssues) in
                        try FlagRecord(item: item, environment: environment, key: key).content
                    }
                }
            }
            return (FlagHistoryTable.historyPartition(environment, key), entry)
        case .override(let environment, let tenant, let key)?:
            let event = Event(change, ofOverrideOf: tenant, key, in: environment)
            let override = Override(
                tenant: tenant, updatedBy: text(change, Attribute.updatedBy, FlagLimits.actorCharacters),
                reason: text(change, Attribute.reason, FlagLimits.reasonCharacters))
            var entry = ofContent(change, event, override)
            if event.leavesContent {
                entry.content = KeptContent(change) { item throws(DefinitionIssues) in
                    try TenantOverrideRecord(item: item, environment: environment, tenant: tenant, flagKey: key).content
                }
            }
            return (FlagHistoryTable.overrideHistoryPartition(environment, key), entry)
        case .segment(let environment, let name)?:
            let event = Event(change) { item in SegmentRecord.issues(of: item, environment: environment, name: name) }
            var entry = ofContent(change, event)
            if event.leavesContent {
                entry.version = change.version
                entry.content = KeptContent(change) { item throws(DefinitionIssues) in
                    try SegmentRecord(item: item, environment: environment, name: name).content
                }
            }
            return (FlagHistoryTable.historyPartition(environment, segment: name), entry)
        case .killSwitch(let environment, let key?)?:
            guard let killSwitch = KillSwitchChange(change) else { return nil }
            let (actor, reason) = (killSwitch.actor, killSwitch.reason)
            let event: Event =
                killSwitch.isOn ? .killed(by: actor, reason: reason) : .revived(by: actor, reason: reason)
            return (FlagHistoryTable.historyPartition(environment, key), FlagHistoryEntry(change, event))
        default:
            return nil
        }
    }

    /// What a flag or a segment said before a change, for a history that has kept nothing yet; nil for anything else,
    /// and where it was not valid. It stands right before the change, in the place of the one that nobody looks for:
    /// no two changes of an item follow each other without one of the environment's revision, or of another item.
    static func found(before change: TableChange) -> FlagHistoryEntry? {
        guard let old = change.oldItem else { return nil }
        let former = TableChange(
            sequence: change.sequence - 1, committedAt: change.committedAt, principal: Principal(.server),
            table: change.table, key: change.key, oldItem: nil, newItem: old, bytes: change.bytes)
        guard var entry = of(former)?.entry, entry.event == .created, entry.override == nil else { return nil }
        entry.event = .found
        entry.details = JSONObject()
        entry.version = RecordVersion.of(old)
        if let updatedAt = old[Attribute.updatedAt]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) {
            entry.at = updatedAt
        }
        return entry
    }

    /// The entry of a change of content, with what it changed.
    private static func ofContent(_ change: TableChange, _ event: Event, _ override: Override? = nil) -> Self {
        var entry = FlagHistoryEntry(change, event)
        entry.override = override
        let names = ItemDocument.differingNames(from: change.oldItem, to: change.newItem)
        if change.oldItem != nil, change.newItem != nil {
            // Others may write names that are as long as an item is large.
            entry.attributes = names.map(\.text).prefix(bytes: FlagLimits.historyEntryBytes) { $0.utf8.count }
        }
        let changes = ItemDocument.changes(from: change.oldItem, to: change.newItem, in: names)
        if !changes.list.isEmpty { entry.details["changes"] = .array(changes.list) }
        if changes.omitted > 0 { entry.details["moreChanges"] = .integer(changes.omitted) }
        return entry
    }

    private init(_ change: TableChange, _ event: Event) {
        self.init(
            sequence: change.sequence, at: Timestamp(millisecondsSinceEpoch: change.committedAt),
            by: change.principal.description, event: event)
        reason = change.principal.circumstances?.reason
        requestID = change.principal.circumstances?.requestID
    }

    /// What the item says afterwards; others may write what the interface would not take.
    private static func text(_ change: TableChange, _ name: AttributeName, _ maximum: Int) -> String? {
        change.newItem?[name]?.stringValue.map { String($0.unicodeScalars.prefix(maximum)) }
    }
}

extension TableChange {
    /// The version of a flag or segment as the change leaves it, put right where somebody wrote it by hand; of one that
    /// is gone, the version that it had.
    fileprivate var version: Int64? {
        newItem.map { DerivedAttributes.version(of: $0, replacing: oldItem) } ?? oldItem.map(RecordVersion.of)
    }
}

extension FlagHistoryEntry.Event {
    /// Whether there is, or was until then, something valid.
    fileprivate var leavesContent: Bool {
        switch self {
        case .created, .changed, .deleted, .found: true
        case .refused, .killed, .revived, .overridesChanged: false
        }
    }

    /// What a change did to a tenant's override of a flag.
    init(_ change: TableChange, ofOverrideOf tenant: String, _ flagKey: String, in environment: Environment) {
        self.init(change) { item in
            do throws(DefinitionIssues) {
                _ = try TenantOverrideRecord(item: item, environment: environment, tenant: tenant, flagKey: flagKey)
                return []
            } catch { return error.issues }
        }
    }

    /// What a change did to a flag, an override or a segment.
    ///
    /// - Parameter issues: what is wrong with an item.
    fileprivate init(_ change: TableChange, issues: (Item) -> [DefinitionIssue]) {
        guard let new = change.newItem else {
            self = .deleted
            return
        }
        let issues = issues(new)
        if issues.isEmpty { self = change.oldItem == nil ? .created : .changed } else { self = .refused(issues) }
    }
}

extension Sequence {
    /// The first elements, as many as have so many bytes together.
    func prefix(bytes: Int, _ size: (Element) -> Int) -> [Element] {
        var room = bytes
        return prefix { element in
            room -= size(element)
            return room >= 0
        }
    }
}
