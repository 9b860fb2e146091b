import DynamoTable
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
    /// Partitions of histories that got an entry although they may have many already.
    private(set) var grown: Set<String> = []
    /// Keys under which somebody put what looks like a flag, an override, a kill switch or a segment, and that nothing
    /// is looked for under: `FLAG#stagin#x`.
    private(set) var misplaced: [TableKey] = []
    /// Whether there is room to note what never was valid.
    let takesNotes: Bool
    /// Last valid forms that are to be kept (or, with nil, let go).
    private(set) var held: [HeldPlace: HeldForm?] = [:]

    init(takesNotes: Bool = true) {
        self.takesNotes = takesNotes
    }

    /// Adds a change. O(item).
    ///
    /// - Parameters:
    ///   - change: a change of the flag table, after all that were added before it.
    ///   - kept: what is kept already of something that is not valid.
    mutating func add(_ change: Change, kept: (HeldPlace) -> HeldForm.Kind?) {
        switch ItemKey(change.key) {
        case .revision(let environment)?:
            unraised.remove(environment)
            if EnvironmentRevision.isBroken(by: change) { broken.insert(environment) }
            return
        case .flag(let environment, _)?, .override(let environment, _, _)?, .segment(let environment, _)?:
            guard isContentChanged(change) else { break }
            unraised.insert(environment)
            hold(change, kept)
        case .killSwitch(let environment, _)?, .segmentKey(let environment, _, _)?:
            unraised.insert(environment)
        case nil:
            if change.newItem != nil, ItemKey.looksKnown(change.key) { misplaced.append(change.key) }
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
            // What the follower wrote is as it should be.
            change.principal != FlagTableFollower.principal,
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
    private mutating func hold(_ change: Change, _ kept: (HeldPlace) -> HeldForm.Kind?) {
        guard let place = ItemKey(change.key).flatMap({ HeldPlace($0) }) else { return }
        let kind = held[place].map { $0?.kind } ?? kept(place)
        guard let new = change.newItem, place.validForm(of: new) == nil else {
            if kind != nil { held[place] = .some(nil) }
            return
        }
        // The first form that is kept stays: what came after it was not valid.
        guard kind != .lastValid else { return }
        if let last = change.oldItem.flatMap({ place.validForm(of: $0) }) {
            held[place] = last
        } else if kind == nil, takesNotes {
            held[place] = place.note
        }
    }
}
