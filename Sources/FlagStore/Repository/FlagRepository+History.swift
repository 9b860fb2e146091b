import DynamoModel
import FlagCore
import JSON

/// One page of a history.
package typealias HistoryPage = ListPage<FlagHistoryEntry>

extension FlagRepository {
    /// A page of a history, the newest entries first: also of what is gone. Blocks.
    ///
    /// - Parameters:
    ///   - limit: entries on the page, at most; it ends earlier where they are long.
    ///   - cursor: where it begins: `nextCursor` of the page before.
    ///   - isShown: which entries are shown.
    /// - Throws: `invalid` for a limit outside 1 to `FlagLimits.pageSize`, `invalidCursor`, `unavailable`.
    func history(
        of subject: HistorySubject, in environment: Environment, limit: Int, cursor: String? = nil,
        where isShown: (FlagHistoryEntry) -> Bool = { _ in true }
    ) throws(FlagStoreError) -> HistoryPage {
        try FlagLimits.check(pageSize: limit)
        let names = [Attribute.sort]
        let start = try cursor.map { text throws(FlagStoreError) in
            try ListCursor(text, letter: Self.historyLetter, names: names).start[Attribute.sort]
        }
        histories.catchUp()
        guard try hasHistories() else { return HistoryPage(records: []) }
        var stream = HistoryStream(
            of: subject, in: environment, from: store, historyTable, before: start ?? nil, page: limit + 1)
        var page = HistoryPage(records: [])
        var bytes = 0
        while let entry = try stream.next() {
            guard isShown(entry) else { continue }
            if let last = page.records.last, page.records.count == limit || bytes >= FlagLimits.pageBytes {
                let place: Item = [Attribute.sort: .string(FlagHistoryTable.sort(last.sequence))]
                page.nextCursor = ListCursor(letter: Self.historyLetter, after: place, names: names).text(names: names)
                break
            }
            page.records.append(entry)
            bytes += entry.details.isEmpty ? 0 : JSONValue.object(entry.details).serializedBytes().count
        }
        return page
    }

    /// Tells cursors of histories from those of other lists.
    private static let historyLetter = "h"

    /// The name of the internal table.
    var historyTable: String { FlagHistoryTable.name(beside: table) }

    /// A server makes the table when it first follows the changes; where none ever did there are no histories.
    private func hasHistories() throws(FlagStoreError) -> Bool {
        try reading { () throws(TableError) in try store.listTables() }.contains(historyTable)
    }

    // MARK: - Versions

    /// The entry that made a version, with what was said then. Blocks; O(entries that are newer).
    ///
    /// - Throws: `versionNotFound`; `versionNotKept` where there was one and it is not known what it said;
    ///   `unavailable`.
    func version(
        _ name: VersionName, of subject: HistorySubject, in environment: Environment
    ) throws(FlagStoreError) -> FlagHistoryEntry {
        try histories.requireCurrent()
        guard try hasHistories() else { throw .versionNotKept(of: subject.thing, name) }
        switch (name, subject) {
        case (.number(let number), .flag), (.number(let number), .segment):
            return try version(numbered: number, of: subject, in: environment)
        case (.entry(let place), _), (.number(let place), .override):
            guard let entry = try entry(at: place, of: subject, in: environment) else {
                throw .versionNotFound(of: subject.thing, name)
            }
            guard entry.content.isKept else { throw .versionNotKept(of: subject.thing, name) }
            return entry
        }
    }

    private func version(
        numbered number: Int64, of subject: HistorySubject, in environment: Environment
    ) throws(FlagStoreError) -> FlagHistoryEntry {
        let current = try item(subject.itemKey(in: environment)).map(RecordVersion.of)
        var search = VersionSearch(number, current: current)
        var stream = HistoryStream(of: subject, in: environment, from: store, historyTable, page: 100, isOwn: true)
        while search.isUnderWay, let entry = try stream.next() { search.look(at: entry) }
        guard let found = search.result else {
            throw search.wasThere
                ? .versionNotKept(of: subject.thing, .number(number))
                : .versionNotFound(of: subject.thing, .number(number))
        }
        // It may have gone meanwhile: histories keep their latest entries.
        guard let entry = try entry(at: found.sequence, of: subject, in: environment), entry.content.isKept else {
            throw .versionNotKept(of: subject.thing, .number(number))
        }
        return entry
    }

    /// The entry of a history at a place, with its content; nil when there is none.
    private func entry(
        at place: Int64, of subject: HistorySubject, in environment: Environment
    ) throws(FlagStoreError) -> FlagHistoryEntry? {
        // What a flag said is told by its own entries, not by those of its overrides.
        guard let partition = subject.partitions(in: environment).first else { return nil }
        let key = TableKey(.string(partition), .string(FlagHistoryTable.sort(place)))
        let item = try reading { () throws(TableError) in try store.getItem(table: historyTable, key: key) }
        guard let entry = item.flatMap({ FlagHistoryEntry(item: $0) }), subject.has(entry) else { return nil }
        return entry
    }
}

extension FlagRepository {
    /// What something says in a version. Blocks.
    ///
    /// - Parameter name: which; nil for what it says now.
    /// - Throws: as `version`; `notFound` and `invalid` where there is nothing now, or nothing valid.
    func state(
        _ name: VersionName?, of subject: HistorySubject, in environment: Environment
    ) throws(FlagStoreError) -> VersionState {
        if let name {
            let entry = try version(name, of: subject, in: environment)
            guard let content = entry.content.object else { throw .versionNotKept(of: subject.thing, name) }
            return VersionState(version: entry.version, entry: entry, content: content)
        }
        switch subject {
        case .flag(let key):
            let flag = try flag(key, in: environment)
            return VersionState(version: flag.version, entry: nil, content: flag.content)
        case .segment(let name):
            let segment = try segment(name, in: environment)
            return VersionState(version: segment.version, entry: nil, content: segment.content)
        case .override(let flagKey, let tenant):
            let override = try override(ofTenant: tenant, flagKey: flagKey, in: environment)
            return VersionState(version: nil, entry: nil, content: override.content)
        }
    }
}

/// Finds the entry that says what a version said: the one that made it, or the last before it, since not every change
/// of the version changes what is said.
private struct VersionSearch {
    private let number: Int64
    /// The highest version in the life that is looked at: between a creation and a deletion.
    private var last: Int64?
    /// The deletion of the version: it says what was said, though not who said it.
    private var deletion: FlagHistoryEntry?
    private var found: FlagHistoryEntry?
    /// Whether to look on.
    private(set) var isUnderWay = true
    /// Whether there was such a version.
    private(set) var wasThere = false
    /// The entry, as far as is known; nil when there is none.
    var result: FlagHistoryEntry? { found ?? deletion }

    /// - Parameter current: the version that there is; nil when there is nothing.
    init(_ number: Int64, current: Int64?) {
        self.number = number
        last = current
        wasThere = current.map { number <= $0 } ?? false
    }

    /// Looks at an entry, after all that are newer.
    mutating func look(at entry: FlagHistoryEntry) {
        switch entry.event {
        case .deleted:
            guard deletion == nil else { return isUnderWay = false }
            last = entry.version
            // Without a number it may have had any.
            if entry.version.map({ number <= $0 }) ?? true { wasThere = true }
            if entry.version == number, entry.content.isKept { deletion = entry }
        case .created, .changed, .found:
            guard let version = entry.version else {
                // Of a former release; or an entry that counts keys, which says nothing of the rest.
                if entry.details["keys"] == nil { wasThere = true }
                return
            }
            if version <= number, last.map({ number <= $0 }) ?? false {
                found = entry.content.isKept ? entry : nil
                isUnderWay = false
            } else if entry.event == .created {
                // The life has been looked at to its beginning.
                last = nil
                isUnderWay = deletion == nil
            }
        case .refused, .killed, .revived, .overridesChanged: break
        }
    }
}
