import JSON

/// Which number a spelling or a computed value is: two are the same number exactly when their identities are equal.
///
/// Equality in rules, constant sets, the lookup in a segment and the digest of a context all go by it. A whole number
/// that is spelled with digits alone is exactly that number, however long it is; anything else is the nearest double,
/// which is the whole number that it is written as in a text.
package enum NumberIdentity: Equatable {
    /// A whole number whose magnitude fits 64 bits.
    case whole(WholeNumber)
    /// Any other number that is a double.
    case double(Double)
    /// A larger whole number that is no double: its digits, behind a minus.
    case digits(UnsafeRawBufferPointer)

    /// The number of a view, which is one.
    package init(_ view: JSONView) {
        guard view.isIntegerSpelling else {
            self.init(view.double ?? .nan)
            return
        }
        if let whole = view.wholeNumber {
            self = .whole(whole)
            return
        }
        let digits = view.storedBytes
        let double = view.double ?? .nan
        let isDouble = NumberText(double).withBytes { $0.elementsEqual(digits) }
        self = isDouble ? .double(double) : .digits(digits)
    }

    /// The number that a double is.
    package init(_ double: Double) {
        self = WholeNumber(exactly: double).map { .whole($0) } ?? .double(double)
    }

    /// The number that an integer is.
    init(_ integer: Int64) { self = .whole(WholeNumber(isNegative: integer < 0, magnitude: integer.magnitude)) }

    package static func == (left: NumberIdentity, right: NumberIdentity) -> Bool {
        switch (left, right) {
        case (.whole(let left), .whole(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.digits(let left), .digits(let right)): left.elementsEqual(right)
        default: false
        }
    }
}
