import FlagCore

/// What there is to do, and when: a value that is told the time and decides.
///
/// Two clocks tell it. The wall clock says what is due, and somebody may set it, forwards or back. The other one is set
/// by nobody and goes on while the machine sleeps: it says for how long something could have been done and was not. So
/// what a clock that is set forward makes due is done at once and not skipped, and what a stop or a sleep made late is
/// known to be late.
struct ScheduleAgenda {
    /// One that waits, or was begun.
    struct Entry: Sendable, Equatable {
        let id: String
        let environment: Environment
        let at: Timestamp
        /// Whether it was begun before: then it goes on, whatever time it is.
        let isBegun: Bool
    }

    /// What is to be done with one whose time has come.
    enum Decision: Equatable {
        case apply(Entry)
        /// It has been due for longer than may be.
        case skip(Entry)
    }

    /// For how long one may be overdue and still be applied, in milliseconds.
    let lateMilliseconds: Int64

    /// In the order of time, and of names at the same time.
    private var entries: [Entry] = []
    private var times: [String: Timestamp] = [:]
    /// Those that were begun.
    private var begun: Set<String> = []
    /// Since when each could have been done, by the clock that nobody sets, in milliseconds.
    private var dueSince: [String: Int64] = [:]
    /// When it was last looked, by that clock.
    private var lastLook: Int64?

    /// The longest that it goes without being looked at the wall clock, in milliseconds: it may have been set.
    static let lookMilliseconds = 500

    /// Nothing to do.
    init(lateMilliseconds: Int64) { self.lateMilliseconds = lateMilliseconds }

    /// How many there are.
    var count: Int { entries.count }

    /// When the next is due; nil when there is none.
    var next: Timestamp? { entries.first?.at }

    /// Takes what there is to do with a name now; nil for nothing more. O(entries) for moving them.
    mutating func set(_ id: String, _ entry: Entry?) {
        if let time = times.removeValue(forKey: id) {
            let place = place(of: id, at: time)
            entries.remove(at: place)
            if entry?.at != time { dueSince[id] = nil }
            begun.remove(id)
        }
        guard let entry else { return }
        if entry.isBegun { begun.insert(id) }
        entries.insert(entry, at: place(of: id, at: entry.at))
        times[id] = entry.at
    }

    /// Where a name stands, or would stand.
    private func place(of id: String, at time: Timestamp) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            let entry = entries[middle]
            if (entry.at, entry.id) < (time, id) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Looks at the clocks.
    ///
    /// - Parameters:
    ///   - now: the wall clock.
    ///   - clock: the one that nobody sets, in milliseconds.
    /// - Returns: what is to be done now, in this order. O(what is due).
    mutating func look(at now: Timestamp, _ clock: Int64) -> [Decision] {
        let sinceLook = lastLook.map { max(0, clock - $0) }
        lastLook = clock
        // Where the clock was set back, what was due no longer is.
        if !dueSince.isEmpty { dueSince = dueSince.filter { id, _ in times[id].map { $0 <= now } ?? false } }
        var decisions = begun.isEmpty ? [] : entries.filter(\.isBegun).map { Decision.apply($0) }
        for entry in entries.prefix(while: { $0.at <= now }) where !entry.isBegun {
            let overdue = now.millisecondsSinceEpoch - entry.at.millisecondsSinceEpoch
            let since = dueSince[entry.id] ?? clock - min(overdue, sinceLook ?? overdue)
            dueSince[entry.id] = since
            decisions.append(clock - since > lateMilliseconds ? .skip(entry) : .apply(entry))
        }
        return decisions
    }

    /// In how many milliseconds it is to be looked again; nil while there is nothing to do.
    func pause(at now: Timestamp) -> Int? {
        guard let next else { return nil }
        let left = next.millisecondsSinceEpoch - now.millisecondsSinceEpoch
        return Int(min(max(left, 1), Int64(Self.lookMilliseconds)))
    }
}
