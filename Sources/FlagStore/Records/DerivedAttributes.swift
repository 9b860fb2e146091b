import DynamoModel
import FlagCore

/// The attributes of an item that follow from its others: index keys, `environment`, `version`, `updatedAt`.
///
/// This program writes them with everything it stores. Whoever writes an item by hand types what it means and leaves
/// them out, or leaves old ones behind.
enum DerivedAttributes {
    /// The names of all of them. Everything else is the item's content.
    static let names: Set<AttributeName> = [
        Attribute.expiresPartition, Attribute.expiresSort, Attribute.ownerPartition, Attribute.ownerSort,
        Attribute.flagsPartition, Attribute.flagsSort, Attribute.globalPartition, Attribute.globalSort,
        Attribute.environment, Attribute.version, Attribute.updatedAt,
    ]

    /// Whether a write changed what the item means. O(item).
    static func isContentChanged(from old: Item?, to new: Item?) -> Bool {
        guard let old, let new else { return old != new }
        // Names are looked up among the derived ones only where something differs: that is little in most changes.
        return new.contains { name, value in old[name] != value && !names.contains(name) }
            || old.contains { name, _ in new[name] == nil && !names.contains(name) }
    }

    /// What must be changed of an item so that its derived attributes are right.
    ///
    /// - Parameters:
    ///   - item: the item as it is.
    ///   - old: the item before the write that is looked at; nil when it was new, or is not known.
    ///   - time: when that write was committed; nil when it is not known.
    ///   - read: the flag that the item is, where it has been read already.
    /// - Returns: nil when nothing is to be corrected: also for what is no flag, override or segment.
    /// - Throws: what keeps the item from being one of these: then nothing follows from it.
    static func correction(
        of item: Item, replacing old: Item? = nil, at time: Timestamp? = nil, read: FlagRecord? = nil
    ) throws(DefinitionIssues) -> Correction? {
        switch ItemKey(item) {
        case .flag(let environment, let key)?:
            var record: FlagRecord
            if let read {
                record = read
            } else {
                record = try FlagRecord(item: item, environment: environment, key: key)
            }
            if let old { raiseVersion(of: &record.version, &record.updatedAt, item, replacing: old, at: time) }
            if !saysWhenUpdated(item) { record.updatedAt = time ?? record.createdAt }
            return Correction(
                of: item, key: .flag(environment, key: key), environment, wanted: record.derivedAttributes,
                sources: [
                    Attribute.flagKey, Attribute.description, Attribute.owner, Attribute.createdAt,
                    Attribute.expiresAt, Attribute.tags, Attribute.defaultEnabled, Attribute.definition,
                    Attribute.rollout, Attribute.requires, Attribute.keptInvalid, Attribute.clientSide,
                    Attribute.archived,
                    Attribute.approvals,
                ])
        case .override(let environment, let tenant, let flagKey)?:
            let record = try TenantOverrideRecord(
                item: item, environment: environment, tenant: tenant, flagKey: flagKey)
            var wanted = record.item
            wanted[Attribute.updatedAt] =
                saysWhenUpdated(item) ? item[Attribute.updatedAt] : time.map { .string($0.rfc3339) }
            // An override's index keys are its own; what else a writer put there means nothing here and stays.
            return Correction(
                of: item, key: record.itemKey, environment, wanted: wanted,
                sources: [Attribute.enabled, Attribute.variant, Attribute.expiresAt],
                names: [Attribute.expiresPartition, Attribute.expiresSort, Attribute.updatedAt])
        case .segment(let environment, let name)?:
            var record = try SegmentRecord(item: item, environment: environment, name: name)
            if let old { raiseVersion(of: &record.version, &record.updatedAt, item, replacing: old, at: time) }
            if !saysWhenUpdated(item) { record.updatedAt = time ?? record.createdAt }
            return Correction(
                of: item, key: record.itemKey, environment, wanted: record.item,
                sources: [
                    Attribute.segmentName, Attribute.description, Attribute.owner, Attribute.createdAt,
                    Attribute.condition,
                ],
                names: [
                    Attribute.flagsPartition, Attribute.flagsSort, Attribute.environment, Attribute.version,
                    Attribute.updatedAt,
                ])
        default:
            return nil
        }
    }

    /// Whether an item has a time of its last change that can be read.
    private static func saysWhenUpdated(_ item: Item) -> Bool {
        AttributeReader(item).derivedTime(Attribute.updatedAt) != nil
    }

    /// The version that an item has once it has been put right: what was changed by hand gets the next version, unless
    /// the writer gave it one; what was only written again without one keeps its own. A version never goes back: it
    /// would become another content's, and a client's `If-Match` would hold for what the client has not seen.
    ///
    /// - Parameter old: the item before; nil when it was new, or is not known.
    static func version(of item: Item, replacing old: Item?) -> Int64 {
        let version = RecordVersion.of(item)
        guard let old else { return version }
        let before = RecordVersion.of(old)
        // Whoever raised the version knew what to do.
        guard version <= before else { return version }
        return isContentChanged(from: old, to: item) ? RecordVersion.next(after: before) : before
    }

    /// Gives what was changed by hand its version and the time of the change.
    private static func raiseVersion(
        of version: inout Int64, _ updatedAt: inout Timestamp, _ item: Item, replacing old: Item, at time: Timestamp?
    ) {
        let before = RecordVersion.of(old)
        let isGiven = version > before
        version = Self.version(of: item, replacing: old)
        guard !isGiven, version != before, item[Attribute.updatedAt] == old[Attribute.updatedAt], let time else {
            return
        }
        // A clock that was set back must not make a change look older than what it changed.
        updatedAt = max(updatedAt, time)
    }
}

/// A change of an item that makes its derived attributes right. It happens only if the item still is what they were
/// derived from; otherwise somebody changed it meanwhile, and that change is looked at in its turn.
struct Correction: Sendable {
    /// The item.
    let key: ItemKey
    /// The environment that it belongs to.
    let environment: Environment
    /// What is set and removed.
    let actions: [UpdateAction]
    /// What must still be so.
    let condition: Condition

    /// The names of the attributes that it sets or removes, sorted.
    let attributes: [String]

    /// The difference between an item and what is wanted of its derived attributes; nil when there is none.
    ///
    /// - Parameter sources: what the item means: whether anything follows from it at all, and which version.
    fileprivate init?(
        of item: Item, key: ItemKey, _ environment: Environment, wanted: Item, sources: [AttributeName],
        names: Set<AttributeName> = DerivedAttributes.names
    ) {
        // Most items are as they should be.
        if names.allSatisfy({ Self.isSame(item[$0], wanted[$0], $0) }) { return nil }
        var actions: [UpdateAction] = []
        var changed: [String] = []
        let names = names.sorted { $0.precedes($1) }
        for name in names where !Self.isSame(item[name], wanted[name], name) {
            changed.append(name.text)
            let path = DocumentPath(name)
            actions.append(wanted[name].map { .set(path, .value($0)) } ?? .remove(path))
        }
        self.key = key
        self.environment = environment
        self.actions = actions
        attributes = changed
        let unchanged = (sources + names).map { name in
            let path = DocumentPath(name)
            return item[name].map { Condition.equals(path, $0) } ?? .attributeNotExists(path)
        }
        condition = .and([.exists] + unchanged)
    }

    /// Whether two values mean the same: a time may be typed with or without milliseconds.
    private static func isSame(_ value: AttributeValue?, _ wanted: AttributeValue?, _ name: AttributeName) -> Bool {
        if value == wanted { return true }
        guard name == Attribute.updatedAt, let value = value?.stringValue, let wanted = wanted?.stringValue else {
            return false
        }
        return Timestamp(rfc3339: value).map { $0 == Timestamp(rfc3339: wanted) } ?? false
    }
}
