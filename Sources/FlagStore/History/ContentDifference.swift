import FlagCore
import JSON

/// What differs between two states of a flag, an override or a segment: as a patch for programs, in words for people.
package struct ContentDifference: Sendable, Equatable {
    /// What makes the one of the other (RFC 6902).
    package let patch: JSONPatch
    /// The same in words, a sentence for each thing that differs: `percentage 10 → 50`.
    package let words: [String]

    /// Whether there is none.
    package var isEmpty: Bool { patch.isEmpty }

    /// The difference of two contents. When something was created is no difference. O(both).
    ///
    /// - Parameter old: nil where there was nothing.
    package init(from old: JSONObject?, to new: JSONObject) {
        var (before, after) = (old ?? JSONObject(), new)
        (before["createdAt"], after["createdAt"]) = (nil, nil)
        patch = JSONPatch(from: .object(before), to: .object(after))
        words = old == nil ? [] : ChangeWords(from: before, to: after).sentences
    }
}
