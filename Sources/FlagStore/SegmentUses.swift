/// Who names a segment.
package struct SegmentUses: Sendable, Equatable {
    /// Flags, by key.
    package internal(set) var flags: [String] = []
    /// Other segments, by name.
    package internal(set) var segments: [String] = []

    /// Whether nobody does.
    package var isEmpty: Bool { flags.isEmpty && segments.isEmpty }

    /// All of them, as in `the flags a, b and the segment c`.
    package var inWords: String {
        func list(_ noun: String, _ names: [String]) -> String? {
            names.isEmpty ? nil : "the \(noun)\(names.count == 1 ? "" : "s") \(names.joined(separator: ", "))"
        }
        return [list("flag", flags), list("segment", segments)].compactMap(\.self).joined(separator: " and ")
    }
}
