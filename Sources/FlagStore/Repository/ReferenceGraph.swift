import Bytes
import FlagCore

/// What names what: flags that require flags, segments whose conditions name segments. Writes must not make circles in
/// it, nor ways longer than evaluation follows.
struct ReferenceGraph {
    /// What something names; nothing for what does not exist.
    let names: (String) throws(FlagStoreError) -> [String]

    /// How many are looked at to find a circle.
    private static let maximum = 10_000

    /// Follows references, breadth first. O(references that are found, times `limit`).
    ///
    /// - Parameter limit: how long ways may be.
    /// - Returns: those on a way from `start` to `end`, both included, nil when there is none; and how many follow each
    ///   other on the longest way from `start`, `limit` + 1 for all that are longer.
    func explore(
        from start: String, to end: String, limit: Int
    ) throws(FlagStoreError) -> (path: [String]?, length: Int) {
        let (start, end) = (ExactText(start), ExactText(end))
        var previous: [ExactText: ExactText?] = [start: nil]
        var named: [ExactText: [ExactText]] = [:]
        var waiting = [start]
        var next = 0
        while next < waiting.count, next < Self.maximum {
            let current = waiting[next]
            next += 1
            if current == end { return (Self.path(to: end, previous), 0) }
            let others = try names(current.text).map { ExactText($0) }
            named[current] = others
            for other in others where previous.index(forKey: other) == nil {
                previous[other] = current
                waiting.append(other)
            }
        }
        return (nil, Self.length(from: start, named, limit: limit))
    }

    private static func path(to end: ExactText, _ previous: [ExactText: ExactText?]) -> [String] {
        var path = [end.text]
        var step = end
        while let before = previous[step] ?? nil {
            path.append(before.text)
            step = before
        }
        return path.reversed()
    }

    /// A circle that somebody else made is as long as can be.
    private static func length(from start: ExactText, _ named: [ExactText: [ExactText]], limit: Int) -> Int {
        var ends: Set<ExactText> = [start]
        var length = 1
        while length <= limit {
            ends = Set(ends.flatMap { named[$0] ?? [] })
            if ends.isEmpty { break }
            length += 1
        }
        return length
    }
}
