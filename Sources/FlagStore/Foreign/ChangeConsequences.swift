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
    /// Flags that got an entry although they may have many already.
    private(set) var grown: [Place] = []
    /// Last valid forms that are to be kept (or, with nil, let go), by flag or override.
    private(set) var held: [Place: Item?] = [:]

    /// A flag of an environment, or a tenant's override of it.
    struct Place: Hashable, Sendable {
        let environment: Environment
        let key: ExactText
        let tenant: ExactText?

        init(_ environment: Environment, _ key: String, tenant: String? = nil) {
            self.environment = environment
            self.key = ExactText(key)
            self.tenant = tenant.map { ExactText($0) }
        }

        /// Where its last valid form is kept.
        var heldKey: TableKey {
            guard let tenant else { return FlagHistoryTable.heldKey(environment, key.text) }
            return FlagHistoryTable.heldKey(environment, tenant: tenant.text, key.text)
        }
    }

    /// Adds a change. O(item).
    ///
    /// - Parameters:
    ///   - change: a change of the flag table, after all that were added before it.
    ///   - holds: whether a last valid form of a flag or an override is kept already.
    mutating func add(_ change: Change, holds: (Place) -> Bool) {
        switch ItemKey(change.key) {
        case .revision(let environment)?:
            unraised.remove(environment)
            return
        case .flag(let environment, let key)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, Place(environment, key), holds) { item in
                guard case .valid(let text) = FlagReadingOfItem(item, environment: environment, key: key) else {
                    return nil
                }
                return HeldFlag(environment: environment, key: key, rule: text.rule).item
            }
        case .override(let environment, let tenant, let key)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, Place(environment, key, tenant: tenant), holds) { item in
                (try? TenantOverrideRecord(item: item)).map { FlagHistoryTable.heldItem($0) }
            }
        case .killSwitch(let environment, _)?, .segmentKey(let environment, _, _)?:
            unraised.insert(environment)
        case .segment(let environment, _)?:
            if isContentChanged(change) { unraised.insert(environment) }
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
        guard let (environment, key, entry) = FlagHistoryEntry.of(change) else { return }
        entries.append(entry.item(of: key, in: environment))
        if entry.event != .created { grown.append(Place(environment, key)) }
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
