/// Finds what somebody probably meant.
package enum Suggestion {
    /// The candidate nearest to `word`, if it is near enough that a slip of the hand explains it.
    ///
    /// Complexity: the product of the lengths for each candidate; used on errors only. Long words are nobody's slip.
    package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        guard word.utf8.count <= lengthMaximum else { return nil }
        let limit = max(1, word.count / 3)
        return
            candidates
            .map { (candidate: $0, distance: distance(word, $0)) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }?
            .candidate
    }

    private static let lengthMaximum = 64

    /// What a name is that is not among the known ones, in words: `is not known here; did you mean variants? Known
    /// are state, variants`.
    package static func unknown(_ name: String, among known: [String]) -> String {
        let list = known.joined(separator: ", ")
        guard let nearest = nearest(to: name, among: known) else { return "is not known here; known are \(list)" }
        return "is not known here; did you mean \(nearest)? Known are \(list)"
    }

    /// How many characters must be inserted, removed, replaced or swapped with their neighbour to turn one word into
    /// the other (the "optimal string alignment" variant of Damerau and Levenshtein's distance).
    package static func distance(_ first: String, _ second: String) -> Int {
        let left = Array(first.lowercased())
        let right = Array(second.lowercased())
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let replaced = previous[column] + (left[row] == right[column] ? 0 : 1)
                var best = min(previous[column + 1] + 1, current[column] + 1, replaced)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
