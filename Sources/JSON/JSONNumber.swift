import Bytes

/// A number that keeps its spelling: what was written `2.0` is written `2.0` again.
///
/// Two are equal when they are spelled the same; compare `double` to compare values.
package struct JSONNumber: Sendable, Equatable, Hashable, CustomStringConvertible {
    /// The number as RFC 8259 section 6 spells it.
    package let spelling: String

    /// A spelling that is known to follow the grammar.
    init(checked spelling: String) { self.spelling = spelling }

    /// A whole number.
    package init(_ value: Int64) { spelling = String(value) }

    /// A finite number in its shortest spelling that reads back as the same double; nil for infinities and NaN.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        spelling = value.description
    }

    /// A number spelled as JSON has it; nil when `spelling` is anything else.
    package init?(spelling: String) {
        guard case .number(let number)? = try? JSONValue(parsing: spelling), number.spelling == spelling else {
            return nil
        }
        self = number
    }

    /// The value when it is whole and fits, exactly; also of `2.0` and `1e3`.
    package var int64: Int64? { spelling.withBytes { NumberSpelling.wholeValue(of: $0)?.int64 } }

    /// The nearest double; infinite when out of range.
    package var double: Double { spelling.withBytes { NumberSpelling.double(of: $0) } }

    /// The spelling.
    package var description: String { spelling }
}
