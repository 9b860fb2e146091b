import Bytes

/// Has equal texts use the same memory, as far as they are met close to one another: among thousands of flags many have
/// the same definition, such as a switch with `on` and `off` and no targeting. Its size does not depend on how many
/// different ones there are: of those that fall on the same place, the last one is known.
struct SharedTexts {
    private var known: [String?]

    /// - Parameter places: how many texts are known at most.
    init(places: Int = 256) { known = Array(repeating: nil, count: places) }

    /// The text itself, or one of the same bytes that was met before.
    mutating func shared(_ text: String) -> String {
        let place = Int(ByteHash.fingerprint(text) % UInt64(known.count))
        if let same = known[place], same.isExactly(text) { return same }
        known[place] = text
        return text
    }
}
