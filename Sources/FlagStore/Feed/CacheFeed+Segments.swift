import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// The keys that a segment lists, as every loop knows them. Blocks when the environment's segments have not been
    /// loaded: not for a loop.
    ///
    /// - Throws: `unavailable`.
    package func keys(ofSegment name: String, in environment: Environment) throws(FlagStoreError) -> SegmentKeySet {
        func known() -> DecodedSegments? { state.withLock { $0.segments[environment] } }
        if known() == nil {
            largeLoads.sync {
                guard known() == nil else { return }
                // Whoever waits for a load that is about to begin is served by this one.
                state.withLock { state in _ = state.ask(.segments(environment), forLoops: []) }
                perform([.segments(environment)])
            }
        }
        guard let segments = known() else {
            throw .unavailable(reason: "The segments could not be read from the table \(table)", hint: "Try again")
        }
        return segments.byName[Array(name.utf8)]?.keys ?? .empty
    }

    /// Reads all segments of an environment with their keys. O(segments + keys).
    func readSegments(_ environment: Environment) throws(FlagStoreError) -> DecodedSegments {
        var names: [String] = []
        var query = Query(
            table: table, index: FlagTable.flagsIndex, partition: .string(ItemKey.segmentsPartition(environment)))
        query.attributes = []
        try forEachItem(of: query) { item in
            if case .segment(environment, let name)? = ItemKey(item) { names.append(name) }
        }
        var text = DecodedSegments()
        for name in names { text.set(try readSegment(environment, name), for: Array(name.utf8)) }
        return text
    }

    /// Reads a segment with its keys. O(keys).
    func readSegment(_ environment: Environment, _ name: String) throws(FlagStoreError) -> DecodedSegment? {
        var head: SegmentHead?
        var marks: [UInt64] = []
        var fingerprint: UInt64 = 0
        let query = Query(table: table, partition: .string(ItemKey.segmentPartition(environment, name)))
        try forEachItem(of: query) { item in
            switch ItemKey(item) {
            case .segmentKey(_, _, var key)?:
                key.withUTF8 { bytes in
                    marks.append(SegmentKeySet.mark(UnsafeRawBufferPointer(bytes)))
                    fingerprint &+= SegmentKeySet.print(UnsafeRawBufferPointer(bytes))
                }
            case .segment?:
                head = self.head(of: item, environment, name)
            default:
                break
            }
        }
        guard head != nil || !marks.isEmpty else { return nil }
        return DecodedSegment(
            name: Array(name.utf8), head: head, keys: SegmentKeySet(marks: marks, fingerprint: fingerprint))
    }

    /// What a segment's item says; of one that is not valid the last valid form, else a segment without a condition.
    private func head(of item: Item, _ environment: Environment, _ name: String) -> SegmentHead {
        do throws(DefinitionIssues) {
            return try SegmentRecord.head(of: item, environment: environment, name: name)
        } catch {
            let lastValid = state.withLock { state in
                state.statistics.invalidItems += 1
                return state.segments[environment]?.byName[Array(name.utf8)]?.head
            }
            let partition = ItemKey.segmentPartition(environment, name)
            report(.invalidItem(partition: partition, sort: ItemKey.metadata, issues: error.issues))
            return lastValid ?? heldHead(environment, name) ?? SegmentHead(condition: nil)
        }
    }

    /// The last valid form that was kept of a segment, by this process or an earlier one; nil when there is none.
    private func heldHead(_ environment: Environment, _ name: String) -> SegmentHead? {
        let key = FlagHistoryTable.heldKey(environment, segment: name)
        // As with flags: without the internal table nothing was kept.
        let item = try? store.getItem(table: FlagHistoryTable.name(beside: table), key: key)
        return item.flatMap { FlagHistoryTable.heldHead($0) }
    }
}

extension FeedState {
    /// Keeps what a load found of segments and kill switches: they are pinned here as well, for the loop that asks next
    /// and for whoever asks what is on.
    mutating func keep(_ load: CacheLoad) {
        switch (load.key, load.value) {
        case (.killSwitches(let environment), .killSwitches(let text)): killSwitches[environment] = text
        case (.segments(let environment), .segments(let text)): segments[environment] = text
        case (.segment(let environment, let name), .segment(let text)): segments[environment]?.set(text, for: name)
        default: break
        }
    }
}
