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
    /// Last valid forms that are to be kept (or, with nil, let go), by flag.
    private(set) var held: [Place: HeldFlag?] = [:]

    /// A flag of an environment.
    struct Place: Hashable, Sendable {
        let environment: Environment
        let key: ExactText

        init(_ environment: Environment, _ key: String) {
            self.environment = environment
            self.key = ExactText(key)
        }
    }

    /// Adds a change. O(item).
    ///
    /// - Parameters:
    ///   - change: a change of the flag table, after all that were added before it.
    ///   - holds: whether a last valid form of a flag is kept already.
    mutating func add(_ change: Change, holds: (Place) -> Bool) {
        switch ItemKey(change.key) {
        case .revision(let environment)?:
            unraised.remove(environment)
            return
        case .flag(let environment, let key)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, Place(environment, key), holds)
        case .override(let environment, _, _)?:
            if isContentChanged(change) { unraised.insert(environment) }
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

    private mutating func hold(_ change: Change, _ place: Place, _ holds: (Place) -> Bool) {
        let (environment, key) = (place.environment, place.key.text)
        let isHeld = held[place].map { $0 != nil } ?? holds(place)
        guard let new = change.newItem, case .invalid = FlagReadingOfItem(new, environment: environment, key: key)
        else {
            if isHeld { held[place] = .some(nil) }
            return
        }
        // The first one that is kept stays: what came after it was not valid.
        guard !isHeld, let old = change.oldItem,
            case .valid(let text) = FlagReadingOfItem(old, environment: environment, key: key)
        else { return }
        held[place] = HeldFlag(environment: environment, key: key, rule: text.rule)
    }
}
