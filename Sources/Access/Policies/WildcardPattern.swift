/// A text with wildcards: `*` is any characters, also none, and `?` is one.
struct WildcardPattern: Sendable, Equatable {
    private let pattern: [Unicode.Scalar]
    private let ignoresCase: Bool

    /// A pattern.
    ///
    /// - Parameter ignoresCase: whether letters of ASCII are taken for each other.
    init(_ text: String, ignoresCase: Bool = false) {
        pattern = Self.scalars(text, ignoresCase)
        self.ignoresCase = ignoresCase
    }

    private static func scalars(_ text: String, _ ignoresCase: Bool) -> [Unicode.Scalar] {
        text.unicodeScalars.map { scalar in
            ignoresCase && ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
        }
    }

    /// Whether a text is of the pattern. O(text · pattern) at worst, without going back further than the last `*`.
    func matches(_ text: String) -> Bool {
        let text = Self.scalars(text, ignoresCase)
        var (place, wanted) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while place < text.count {
            if wanted < pattern.count, pattern[wanted] == "*" {
                star = (wanted, place)
                wanted += 1
            } else if wanted < pattern.count, pattern[wanted] == "?" || pattern[wanted] == text[place] {
                wanted += 1
                place += 1
            } else if let last = star {
                // The star takes one more.
                star = (last.pattern, last.text + 1)
                wanted = last.pattern + 1
                place = last.text + 1
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == "*" }
    }
}

/// A resource in a policy. There is no region and no account here: those of an ARN say nothing.
struct ResourcePattern: Sendable, Equatable {
    private let pattern: WildcardPattern
    private let isARN: Bool

    /// Characters of a pattern at most.
    static let maximum = 2048

    /// A pattern such as `arn:aws:dynamodb:eu-west-1:123456789012:table/feature-flags-*`.
    init(_ text: String) {
        let local = Self.withoutPlace(text)
        isARN = local != nil
        pattern = WildcardPattern(local ?? text)
    }

    /// Whether a resource is of the pattern.
    func matches(_ resource: String) -> Bool {
        pattern.matches(isARN ? Self.withoutPlace(resource) ?? resource : resource)
    }

    /// An ARN without region and account; nil for what has no such parts.
    private static func withoutPlace(_ text: String) -> String? {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return parts.count == 6 ? "\(parts[0]):\(parts[1]):\(parts[2]):\(parts[5])" : nil
    }
}
