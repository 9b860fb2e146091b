import FlagCore

/// Which version of something is meant.
package enum VersionName: Sendable, Equatable, CustomStringConvertible {
    /// The one that a flag or a segment had with this number; where it had the number several times, since it was
    /// deleted and made again, the latest. Of an override, which has no number, the one that this entry made.
    case number(Int64)
    /// The one that this entry of the history made, whatever its number.
    case entry(Int64)

    /// Reads `7` or `@81723`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let isEntry = text.hasPrefix("@")
        let digits = text.dropFirst(isEntry ? 1 : 0)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(digits), (1...FlagLimits.version).contains(number)
        else { return nil }
        self = isEntry ? .entry(number) : .number(number)
    }

    /// What is expected, for whoever wrote something else.
    package static let expectation = "the number of a version, such as 7, or of an entry of the history, such as @81723"

    /// As `init` reads it.
    package var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .entry(let number): "@\(number)"
        }
    }
}
