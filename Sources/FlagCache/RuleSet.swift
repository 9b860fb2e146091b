import FlagCore

/// All flags of an environment, compiled for one loop, in the order of their keys: what a bulk answer is made of.
///
/// A flag is compiled when it is first asked for, and again only when its rule changed. What is said of all rules is
/// true when every flag is compiled, as of a set that `LoopCache.ruleSet` found. Confined to one loop.
package final class RuleSet {
    /// A flag of the set.
    package struct Entry {
        let text: DecodedFlag
        fileprivate(set) var compiled: CompiledFlag? {
            didSet { note() }
        }
        /// The flag, compiled, without being counted: valid as long as the entry.
        package private(set) var flag: Unmanaged<CompiledFlag>?
        /// Its answer, where that is the same for everybody (`AnswerTexts.constant`).
        package private(set) var constant: UnsafeRawBufferPointer?
        /// Whether a key in a browser or an app may evaluate the flag. Here, so that whoever leaves the others out does
        /// not touch them.
        package let isClientSide: Bool

        fileprivate init(_ text: DecodedFlag, _ compiled: CompiledFlag? = nil) {
            self.text = text
            isClientSide = text.isClientSide
            self.compiled = compiled
            note()
        }

        private mutating func note() {
            flag = compiled.map { .passUnretained($0) }
            constant = compiled?.texts.constant
        }
    }

    /// How often the environment had been changed when this was last true.
    package private(set) var revision: Int64
    /// A hash of all flags' fingerprints: equal on every loop, in every process and on every server that holds the same
    /// flags, whatever their order of arrival; different as soon as a rule differs, also when a foreign writer forgot
    /// the revision.
    package private(set) var fingerprint: UInt64 = 0

    private var entries: [Entry]
    private let fractional: FractionalVersion
    /// Flags that have not been compiled since they changed.
    private var uncompiled: Int
    /// No flag before this place is one of them.
    private var uncompiledFrom = 0
    /// Compiled flags whose rollouts follow the clock, so that answers have a time until which they hold.
    package private(set) var clockFollowers = 0
    /// Compiled flags that read the clock.
    private var clockReaders = 0
    /// Compiled flags whose rules name segments.
    private var segmentReaders = 0
    /// The flags joined for a list of all, in stretches of `stretch` flags: for whom all flags are, and for whom those
    /// of browsers alone are. A stretch is joined when it is first asked for.
    private var joined: (all: [JoinedFlags?], clientSide: [JoinedFlags?]) = ([], [])
    /// How many flags are past their dates, and for which instants that is so.
    private var stale: (count: Int, during: Range<Timestamp>)?

    init(_ text: DecodedRuleSet, fractional: FractionalVersion) {
        self.fractional = fractional
        revision = text.revision
        entries = text.flags.map { Entry($0) }
        uncompiled = entries.count
        fingerprint = text.flags.reduce(0) { $0 &+ $1.fingerprint }
    }

    /// Flags.
    package var count: Int { entries.count }

    /// A flag by its place in the order of keys. O(1) once compiled.
    package func flag(at index: Int) -> CompiledFlag {
        if let compiled = entries[index].compiled { return compiled }
        let compiled = entries[index].text.compiled(fractional: fractional)
        entries[index].compiled = compiled
        part(at: index)
        uncompiled -= 1
        count(compiled, 1)
        return compiled
    }

    /// Gives all flags in the order of their keys: a bulk answer takes them without counting references. They are
    /// compiled in a set that was found. The set must not be changed meanwhile.
    package func withEntries<Result>(_ body: (UnsafeBufferPointer<Entry>) -> Result) -> Result {
        entries.withUnsafeBufferPointer(body)
    }

    /// How many flags are joined at most.
    package static let stretch = 64

    /// The flags from a place on, at most `stretch` of them, joined. They are compiled in a set that was found.
    ///
    /// - Parameters:
    ///   - start: a multiple of `stretch`.
    ///   - clientSideOnly: leaves out what is not for keys in browsers and apps.
    /// - Complexity: O(1), after a change of one of them O(`stretch`).
    package func joined(from start: Int, clientSideOnly: Bool) -> JoinedFlags {
        let stretch = start / RuleSet.stretch
        let known = clientSideOnly ? joined.clientSide : joined.all
        if stretch < known.count, let flags = known[stretch] { return flags }
        return join(stretch, clientSideOnly: clientSideOnly)
    }

    @inline(never)
    private func join(_ stretch: Int, clientSideOnly: Bool) -> JoinedFlags {
        let start = stretch * RuleSet.stretch
        let flags = JoinedFlags(
            entries[start..<min(start + RuleSet.stretch, entries.count)], clientSideOnly: clientSideOnly)
        func keep(_ list: inout [JoinedFlags?]) {
            while list.count <= stretch { list.append(nil) }
            list[stretch] = flags
        }
        if clientSideOnly { keep(&joined.clientSide) } else { keep(&joined.all) }
        return flags
    }

    /// Forgets how the flags around a place were joined, since that one is another.
    private func part(at index: Int) {
        let stretch = index / RuleSet.stretch
        if stretch < joined.all.count { joined.all[stretch] = nil }
        if stretch < joined.clientSide.count { joined.clientSide[stretch] = nil }
    }

    /// Forgets how the flags from a place on were joined, since they have moved.
    private func part(from index: Int) {
        let stretch = index / RuleSet.stretch
        joined.all.removeSubrange(min(stretch, joined.all.count)...)
        joined.clientSide.removeSubrange(min(stretch, joined.clientSide.count)...)
    }

    /// Whether a flag has been compiled since it changed.
    func isCompiled(at index: Int) -> Bool { entries[index].compiled != nil }

    /// Compiles what has not been compiled since it changed, flag by flag, until there is no more time for it.
    ///
    /// - Parameter isOver: whether there is no more time; asked before each flag.
    /// - Returns: whether nothing is left. O(1) when nothing was.
    func compile(until isOver: () -> Bool) -> Bool {
        while uncompiled > 0 {
            if isCompiled(at: uncompiledFrom) {
                uncompiledFrom += 1
            } else if isOver() {
                return false
            } else {
                _ = flag(at: uncompiledFrom)
            }
        }
        return true
    }

    /// What a flag was, or will be, compiled from.
    func text(at index: Int) -> DecodedFlag { entries[index].text }

    /// The place of a key. O(log n).
    package func index(of key: UnsafeRawBufferPointer) -> Int? {
        let (index, isThere) = entries.search { $0.text.key.compare(to: key) }
        return isThere ? index : nil
    }

    /// Whether any rule reads the clock, so that answers may change although nothing was changed. O(1).
    package var readsTimestamp: Bool { clockReaders > 0 }

    /// How many flags are past their dates. Which ones follows from the fingerprint. O(1) until the next date passes or
    /// a flag changes, then O(flags).
    package func staleCount(at now: Timestamp) -> Int {
        if let stale, stale.during.contains(now) { return stale.count }
        var count = 0
        var since = Timestamp(millisecondsSinceEpoch: .min)
        var until = Timestamp(millisecondsSinceEpoch: .max)
        for case let date? in entries.lazy.map(\.text.expiresAt) {
            if date <= now {
                count += 1
                since = max(since, date)
            } else {
                until = min(until, date)
            }
        }
        stale = (count, since..<until)
        return count
    }

    /// Whether any rule names a segment. O(1).
    package var namesSegments: Bool { segmentReaders > 0 }

    /// Counts a compiled flag in, or out.
    private func count(_ compiled: CompiledFlag, _ change: Int) {
        if compiled.readsTimestamp { clockReaders += change }
        if compiled.followsClock { clockFollowers += change }
        if compiled.namesSegments { segmentReaders += change }
    }

    /// Takes over a newer state and keeps what has been compiled of rules that are the same. O(flags).
    func update(to text: DecodedRuleSet) {
        part(from: 0)
        let old = entries
        var place = 0
        entries = text.flags.map { newText in
            newText.key.withUnsafeBytes { key in
                while place < old.count, old[place].text.key.compare(to: key) < 0 { place += 1 }
            }
            let isSame = place < old.count && old[place].text.isSame(as: newText)
            return Entry(newText, isSame ? old[place].compiled : nil)
        }
        revision = max(revision, text.revision)
        stale = nil
        fingerprint = text.flags.reduce(0) { $0 &+ $1.fingerprint }
        uncompiled = entries.reduce(0) { $0 + ($1.compiled == nil ? 1 : 0) }
        uncompiledFrom = 0
        clockReaders = 0
        clockFollowers = 0
        segmentReaders = 0
        for entry in entries {
            if let compiled = entry.compiled { count(compiled, 1) }
        }
    }

    /// Puts one flag in, changes it or takes it out. O(log n) to find it; what follows moves when it is new or gone.
    func set(_ text: DecodedFlag?, for key: UnsafeRawBufferPointer) {
        let (index, isThere) = entries.search { $0.text.key.compare(to: key) }
        stale = nil
        if isThere { forget(entries[index]) }
        switch (text, isThere) {
        case (let text?, true):
            let isSame = entries[index].text.isSame(as: text)
            note(Entry(text, isSame ? entries[index].compiled : nil), at: index, replacing: true)
        case (let text?, false):
            note(Entry(text), at: index, replacing: false)
        case (nil, true):
            entries.remove(at: index)
            part(from: index)
            if index < uncompiledFrom { uncompiledFrom -= 1 }
        case (nil, false):
            break
        }
    }

    /// Notes that the environment has been changed so often.
    func raise(to revision: Int64) {
        self.revision = max(self.revision, revision)
    }

    private func note(_ entry: Entry, at index: Int, replacing: Bool) {
        if replacing {
            entries[index] = entry
            part(at: index)
        } else {
            entries.insert(entry, at: index)
            part(from: index)
        }
        fingerprint &+= entry.text.fingerprint
        if let compiled = entry.compiled {
            count(compiled, 1)
        } else {
            uncompiled += 1
            uncompiledFrom = min(uncompiledFrom, index)
        }
    }

    private func forget(_ entry: Entry) {
        fingerprint &-= entry.text.fingerprint
        if let compiled = entry.compiled {
            count(compiled, -1)
        } else {
            uncompiled -= 1
        }
    }
}
