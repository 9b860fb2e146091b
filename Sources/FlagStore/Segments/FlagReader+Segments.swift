import DynamoModel
import FlagCore

extension FlagReader {
    /// A page of the segments, by name.
    package func segments(
        limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> SegmentPage {
        try repository.segments(in: environment, limit: limit, cursor: cursor)
    }

    /// A segment.
    package func segment(_ name: String) throws(FlagStoreError) -> SegmentRecord {
        try repository.segment(name, in: environment)
    }

    /// A segment as it is stored, valid or not; nil when there is none.
    package func segmentItem(_ name: String) throws(FlagStoreError) -> Item? {
        try repository.item(.segment(environment, name: name))
    }

    /// Throws unless there is a segment of a name, valid or not.
    package func requireSegment(_ name: String) throws(FlagStoreError) {
        try repository.requireSegment(name, in: environment)
    }

    /// Calls `body` with every segment, by name.
    package func forEachSegment(_ body: (SegmentRecord) throws(FlagStoreError) -> Void) throws(FlagStoreError) {
        try repository.forEachSegment(in: environment, body)
    }

    /// A page of the keys that a segment lists, in the order of their bytes.
    package func keys(
        ofSegment name: String, limit: Int = FlagLimits.defaultPageSize, cursor: String? = nil
    ) throws(FlagStoreError) -> ListPage<String> {
        try repository.keys(ofSegment: name, in: environment, limit: limit, cursor: cursor)
    }

    /// Every key that a segment lists.
    package func allKeys(ofSegment name: String) throws(FlagStoreError) -> [String] {
        try repository.allKeys(ofSegment: name, in: environment)
    }

    /// The flags and segments whose rules name a segment.
    package func uses(ofSegment name: String) throws(FlagStoreError) -> SegmentUses {
        try repository.uses(ofSegment: name, in: environment)
    }

    /// A check of what rules name against the segments that are stored.
    package var segmentCheck: SegmentCheck { repository.segmentCheck(in: environment) }

    /// The segments whose items are not valid, by name.
    package func invalidSegments() throws(FlagStoreError) -> [InvalidItem] {
        try repository.invalidSegments(in: environment)
    }
}
