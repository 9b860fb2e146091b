import DynamoModel
import FlagCore

/// How much there is of a history.
struct HistorySize: Sendable, Equatable {
    /// How many entries.
    var entries = 0
    /// Bytes of the contents that they keep, as they are stored.
    var contentBytes = 0

    static func + (left: HistorySize, right: HistorySize) -> HistorySize {
        HistorySize(
            entries: left.entries + right.entries, contentBytes: left.contentBytes + right.contentBytes)
    }

    static func - (left: HistorySize, right: HistorySize) -> HistorySize {
        HistorySize(
            entries: left.entries - right.entries, contentBytes: left.contentBytes - right.contentBytes)
    }
}

extension HistorySize {
    /// The size of one entry.
    init(_ item: Item) {
        let bytes = item[FlagHistoryTable.Name.contentBytes]?.int64Value ?? 0
        self.init(entries: 1, contentBytes: Int(clamping: bytes))
    }
}

/// How much of a history is kept: its latest entries.
package struct HistoryLimits: Sendable, Equatable {
    /// How many entries.
    package var versions: Int
    /// Bytes of the contents that they keep, as they are stored.
    package var contentBytes: Int

    /// As a server has it where nothing else is set.
    package init(versions: Int = FlagLimits.historyVersions, contentBytes: Int = FlagLimits.historyContentBytes) {
        self.versions = versions
        self.contentBytes = contentBytes
    }

    /// Whether a history is larger.
    func areExceeded(by size: HistorySize) -> Bool { size.entries > versions || size.contentBytes > contentBytes }
}
