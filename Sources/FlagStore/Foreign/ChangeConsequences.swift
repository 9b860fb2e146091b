import DynamoModel
import FlagCore

/// What some changes of the flag table call for. A value: it is decided here and carried out elsewhere.
struct ChangeConsequences: Sendable {
    /// Items whose derived attributes are to be corrected.
    private(set) var corrections: [Correction] = []
    /// Environments in which something was changed without raising their revision.
    private(set) var unraised: Set<Environment> = []
    /// Environments whose revision is to be made anew.
    private(set) var broken: Set<Environment> = []
    /// Entries of histories, as items of the internal table.
    private(set) var entries: [Item] = []
    /// How much each history gets, by its partition.
    private(set) var added: [String: HistorySize] = [:]
    /// The first changes of flags and segments that were there before, by the partition of their history: what they
    /// said before is kept where nothing else is.
    private(set) var first: [String: TableChange] = [:]
    /// Partitions of histories that got an entry although they may have many already.
    private(set) var grown: Set<String> = []
    /// Changes that histories do not have one by one.
    private(set) var tallied: [TalliedChange] = []
    /// Changes of overrides, by whoever made them, that are still to be told.
    private var overrides: [Principal: [OverrideChange]] = [:]

    private struct OverrideChange: Sendable {
        let change: TableChange
        /// How it is counted if it is not told by itself.
        let tallied: TalliedChange
    }
    /// Keys under which somebody put what looks like a flag, an override, a kill switch or a segment, and that nothing
    /// is looked for under: `FLAG#stagin#x`.
    private(set) var misplaced: [TableKey] = []
    /// Whether there is room to note what never was valid.
    let takesNotes: Bool
    /// Last valid forms that are to be kept (or, with nil, let go).
    private(set) var held: [HeldRecordKey: HeldForm?] = [:]

    init(takesNotes: Bool = true) {
        self.takesNotes = takesNotes
    }

    /// Adds a change. O(item).
    ///
    /// - Parameters:
    ///   - change: a change of the flag table, after all that were added before it.
    ///   - kept: what is kept already of something that is not valid.
    mutating func add(_ change: TableChange, kept: (HeldRecordKey) -> HeldForm.Kind?) {
        var read: FlagReadingOfItem?
        switch ItemKey(change.key) {
        case .revision(let environment)?:
            unraised.remove(environment)
            if EnvironmentRevision.isBroken(by: change) { broken.insert(environment) }
            return
        case .flag(let environment, let key)?:
            read = change.newItem.map { FlagReadingOfItem($0, environment: environment, key: key) }
            if noteContent(change, in: environment, kept, read) != nil { record(change, read) }
        case .override(let environment, let tenant, let flagKey)?:
            if let isValid = noteContent(change, in: environment, kept) {
                let tallied = TalliedChange(
                    change, ofOverrideOf: tenant, flagKey, in: environment, isValid: isValid)
                overrides[change.principal, default: []].append(OverrideChange(change: change, tallied: tallied))
            }
        case .segment(let environment, let name)?:
            if noteContent(change, in: environment, kept) != nil {
                record(change)
            } else if change.principal != FlagTableUpkeep.principal {
                // A call that changes the listed keys raises the version, and nothing else of the segment's own item.
                tallied.append(TalliedChange(change, ofKeysOfSegment: name, in: environment))
            }
        case .killSwitch(let environment, _)?:
            unraised.insert(environment)
            record(change)
        case .segmentKey(let environment, let name, let key)?:
            unraised.insert(environment)
            if let change = TalliedChange(change, ofKey: key, ofSegment: name, in: environment) {
                tallied.append(change)
            }
        case nil:
            if change.newItem != nil, ItemKey.looksKnown(change.key) { misplaced.append(change.key) }
            return
        }
        correct(change, read)
    }

    /// Tells of the overrides, when all changes have been added: one by one, or by their number where they are many.
    ///
    /// - Parameter principals: whose are being counted already.
    mutating func tellOverrides(counting principals: Set<Principal>) {
        for (principal, changes) in overrides {
            if changes.count > FlagLimits.singleOverrides || principals.contains(principal) {
                tallied += changes.map(\.tallied)
                keepDeleted(changes.map(\.change))
            } else {
                for override in changes { record(override.change) }
            }
        }
        overrides = [:]
    }

    /// Keeps what overrides were that were deleted and are only counted.
    private mutating func keepDeleted(_ changes: [TableChange]) {
        var kept: [DeletedOverrides.Place: DeletedOverrides] = [:]
        func tell(_ place: DeletedOverrides.Place) {
            guard let overrides = kept.removeValue(forKey: place) else { return }
            record(overrides.item(in: place.partition), in: place.partition, mayBeMany: true)
        }
        for change in changes where change.newItem == nil {
            guard case .override(let environment, let tenant, let flagKey)? = ItemKey(change.key),
                let requestID = change.principal.circumstances?.requestID, let item = change.oldItem,
                let override = try? TenantOverrideRecord(
                    item: item, environment: environment, tenant: tenant, flagKey: flagKey)
            else { continue }
            let place = DeletedOverrides.Place(
                partition: FlagHistoryTable.deletedOverridesPartition(environment, flagKey), requestID: requestID)
            kept[place, default: DeletedOverrides(requestID: requestID)].add(override, at: change.sequence)
            if kept[place]?.isFull == true { tell(place) }
        }
        for place in kept.keys { tell(place) }
    }

    /// Sees to what follows from a change of content.
    ///
    /// - Returns: whether what it left is valid, or nothing; nil when it is no change of content.
    private mutating func noteContent(
        _ change: TableChange, in environment: Environment, _ kept: (HeldRecordKey) -> HeldForm.Kind?,
        _ read: FlagReadingOfItem? = nil
    ) -> Bool? {
        guard DerivedAttributes.isContentChanged(from: change.oldItem, to: change.newItem) else { return nil }
        unraised.insert(environment)
        return hold(change, kept, read)
    }

    private mutating func correct(_ change: TableChange, _ read: FlagReadingOfItem?) {
        guard let item = change.newItem,
            // What the follower wrote is as it should be.
            change.principal != FlagTableUpkeep.principal,
            let correction = try? DerivedAttributes.correction(
                of: item, replacing: change.oldItem, at: Timestamp(millisecondsSinceEpoch: change.committedAt),
                read: read?.record)
        else { return }
        corrections.append(correction)
    }

    private mutating func record(_ change: TableChange, _ read: FlagReadingOfItem? = nil) {
        guard let (partition, entry) = FlagHistoryEntry.of(change, read: read) else { return }
        if entry.override == nil, change.oldItem != nil, change.newItem != nil, first[partition] == nil {
            first[partition] = change
        }
        record(
            entry.item(in: partition), in: partition,
            mayBeMany: entry.event != .created || entry.override != nil)
    }

    /// Adds an item to a partition of the internal table of which the latest are kept.
    ///
    /// - Parameter mayBeMany: whether there may be as many there as are kept.
    private mutating func record(_ item: Item, in partition: String, mayBeMany: Bool) {
        entries.append(item)
        added[partition] = (added[partition] ?? HistorySize()) + HistorySize(item)
        if mayBeMany { grown.insert(partition) }
    }

    /// Keeps what was valid last, or lets go of it.
    ///
    /// - Returns: whether the item is valid, or gone.
    private mutating func hold(
        _ change: TableChange, _ kept: (HeldRecordKey) -> HeldForm.Kind?, _ read: FlagReadingOfItem?
    ) -> Bool {
        guard let place = ItemKey(change.key).flatMap({ HeldRecordKey($0) }) else { return true }
        let kind = held[place].map { $0?.kind } ?? kept(place)
        let isValid = change.newItem.map { new in read.map { $0.record != nil } ?? (place.validForm(of: new) != nil) }
        guard isValid == false else {
            if kind != nil { held[place] = .some(nil) }
            return true
        }
        // The first form that is kept stays: what came after it was not valid.
        guard kind != .lastValid else { return false }
        if let last = change.oldItem.flatMap({ place.servedForm(of: $0) }) {
            held[place] = last
        } else if kind == nil, takesNotes {
            held[place] = place.note
        }
        return false
    }
}
