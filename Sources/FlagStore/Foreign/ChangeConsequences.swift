import DynamoTable
import FlagCore

/// What some changes of the flag table call for. A value: it is decided here and carried out elsewhere.
struct ChangeConsequences: Sendable {
    /// Items whose derived attributes are to be corrected.
    private(set) var corrections: [Correction] = []
    /// Environments in which something was changed without raising their revision.
    private(set) var unraised: Set<Environment> = []
    /// Entries of histories, as items of the internal table.
    private(set) var entries: [Item] = []
    /// Partitions of histories that got an entry although they may have many already.
    private(set) var grown: Set<String> = []
    /// Last valid forms that are to be kept (or, with nil, let go).
    private(set) var held: [Place: Item?] = [:]

    /// Of what a last valid form is kept.
    enum Place: Hashable, Sendable {
        /// A flag of an environment.
        case flag(Environment, ExactText)
        /// A tenant's override of it.
        case override(Environment, tenant: ExactText, ExactText)
        /// A segment.
        case segment(Environment, ExactText)

        /// Where its last valid form is kept.
        var heldKey: TableKey {
            switch self {
            case .flag(let environment, let key): FlagHistoryTable.heldKey(environment, key.text)
            case .override(let environment, let tenant, let key):
                FlagHistoryTable.heldKey(environment, tenant: tenant.text, key.text)
            case .segment(let environment, let name): FlagHistoryTable.heldKey(environment, segment: name.text)
            }
        }
    }

    /// Adds a change. O(item).
    ///
    /// - Parameters:
    ///   - change: a change of the flag table, after all that were added before it.
    ///   - holds: whether a last valid form of something is kept already.
    mutating func add(_ change: Change, holds: (Place) -> Bool) {
        switch ItemKey(change.key) {
        case .revision(let environment)?:
            unraised.remove(environment)
            return
        case .flag(let environment, let key)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, .flag(environment, ExactText(key)), holds) { item in
                guard case .valid(let text) = FlagReadingOfItem(item, environment: environment, key: key) else {
                    return nil
                }
                return HeldFlag(environment: environment, key: key, rule: text.rule).item
            }
        case .override(let environment, let tenant, let key)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, .override(environment, tenant: ExactText(tenant), ExactText(key)), holds) { item in
                (try? TenantOverrideRecord(item: item)).map { FlagHistoryTable.heldItem($0) }
            }
        case .killSwitch(let environment, _)?, .segmentKey(let environment, _, _)?:
            unraised.insert(environment)
        case .segment(let environment, let name)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, .segment(environment, ExactText(name)), holds) { item in
                (try? SegmentRecord.head(of: item, environment: environment, name: name)).map {
                    FlagHistoryTable.heldItem($0, ofSegment: name, in: environment)
                }
            }
        case nil:
            return
        }
        correct(change)
        record(change)
    }

    private func isContentChanged(_ change: Change) -> Bool {
        DerivedAttributes.isContentChanged(from: change.oldItem, to: change.newItem)
    }

    private mutating func correct(_ change: Change) {
        guard let item = change.newItem,
            let correction = try? DerivedAttributes.correction(
                of: item, replacing: change.oldItem, at: Timestamp(millisecondsSinceEpoch: change.committedAt))
        else { return }
        corrections.append(correction)
    }

    private mutating func record(_ change: Change) {
        guard let (partition, entry) = FlagHistoryEntry.of(change) else { return }
        entries.append(entry.item(in: partition))
        if entry.event != .created { grown.insert(partition) }
    }

    /// Keeps what was valid last, or lets go of it.
    ///
    /// - Parameter form: what is kept of an item; nil when that is not valid.
    private mutating func hold(
        _ change: Change, _ place: Place, _ holds: (Place) -> Bool, _ form: (Item) -> Item?
    ) {
        let isHeld = held[place].map { $0 != nil } ?? holds(place)
        guard let new = change.newItem, form(new) == nil else {
            if isHeld { held[place] = .some(nil) }
            return
        }
        // The first one that is kept stays: what came after it was not valid.
        guard !isHeld, let old = change.oldItem, let last = form(old) else { return }
        held[place] = last
    }
}
