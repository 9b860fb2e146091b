import Bytes
import Glibc

/// A type that may be the element of a set attribute: it has DynamoDB's order, which is by bytes or by value.
package protocol AttributeSetElement: Hashable, Sendable {
    /// Whether `self` sorts strictly before `other`.
    func precedes(_ other: Self) -> Bool
}

/// The elements of a set attribute: each once, in DynamoDB's order.
///
/// A sorted array rather than a `Set`: Swift's `Set<String>` would fold canonically equivalent strings into one, and
/// the fixed order makes the stored form of equal sets equal.
package struct AttributeSet<Element: AttributeSetElement>: Hashable, Sendable {
    /// The elements, sorted and each once.
    package let elements: [Element]

    /// A set of `elements`; repeated ones count once. O(n log n).
    package init(_ elements: some Sequence<Element>) {
        let sorted = elements.sorted { $0.precedes($1) }
        var distinct: [Element] = []
        distinct.reserveCapacity(sorted.count)
        for element in sorted where distinct.last.map({ $0.precedes(element) }) ?? true {
            distinct.append(element)
        }
        self.elements = distinct
    }

    /// The number of elements.
    package var count: Int { elements.count }

    /// Whether there is no element; such a set cannot be stored.
    package var isEmpty: Bool { elements.isEmpty }

    /// Whether `element` is in the set. O(log n).
    package func contains(_ element: Element) -> Bool {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].precedes(element) { low = middle + 1 } else { high = middle }
        }
        return low < elements.count && !element.precedes(elements[low])
    }

    /// The elements of both sets. O((n + m) log(n + m)).
    package func union(_ other: AttributeSet) -> AttributeSet { AttributeSet(elements + other.elements) }

    /// The elements that are not in `other`. O(n log m).
    package func subtracting(_ other: AttributeSet) -> AttributeSet {
        AttributeSet(elements.filter { !other.contains($0) })
    }

    package static func == (left: AttributeSet, right: AttributeSet) -> Bool {
        left.count == right.count
            && zip(left.elements, right.elements).allSatisfy { !$0.precedes($1) && !$1.precedes($0) }
    }
}

extension AttributeSet: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Element...) { self.init(elements) }
}

extension DynamoNumber: AttributeSetElement {
    package func precedes(_ other: DynamoNumber) -> Bool { self < other }
}

extension String: AttributeSetElement {
    /// Whether the UTF-8 bytes of this text sort before those of `other`: DynamoDB's order of strings.
    package func precedes(_ other: String) -> Bool { compareBytes(to: other) < 0 }

    /// Less than, equal to or greater than zero as the UTF-8 bytes sort before, are or sort after those of `other`.
    func compareBytes(to other: String) -> Int {
        withBytes { left in other.withBytes { compareLexicographically(left, $0) } }
    }
}

extension [UInt8]: AttributeSetElement {
    /// Whether the bytes sort before those of `other`, unsigned.
    package func precedes(_ other: [UInt8]) -> Bool { compareBytes(to: other) < 0 }

    /// Less than, equal to or greater than zero as the bytes sort before, are or sort after those of `other`.
    func compareBytes(to other: [UInt8]) -> Int {
        withUnsafeBytes { left in
            other.withUnsafeBytes { right in compareLexicographically(left, right) }
        }
    }
}

/// Compares unsigned bytes; where one text begins the other, the shorter comes first.
package func compareLexicographically(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let common = min(left.count, right.count)
    if common > 0, let leftStart = left.baseAddress, let rightStart = right.baseAddress {
        let order = memcmp(leftStart, rightStart, common)
        if order != 0 { return Int(order) }
    }
    return left.count - right.count
}
