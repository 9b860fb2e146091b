import Bytes

/// The members of an object, in the order they were written; every name once.
///
/// Equality ignores the order (RFC 8259 section 1: an object is unordered). Names are compared code point by code
/// point: what Swift's `String` takes for the same text in another normal form is another name here.
package struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    /// A name and its value.
    package typealias Member = (key: String, value: JSONValue)

    /// The members in order.
    package private(set) var members: [Member]
    /// Where each name is; kept only for large objects, where searching would cost.
    private var index: [ExactText: Int]?

    private static var searchedMaximum: Int { 16 }

    /// An object without members.
    package init() { members = [] }

    /// These members; of equal names the last one's value counts, at the first one's place.
    package init(_ members: some Sequence<Member>) {
        self.init()
        for member in members { self[member.key] = member.value }
    }

    /// These members; later ones replace earlier ones of the same name.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
    }

    /// Members whose names are known to be distinct.
    init(distinct members: [Member]) {
        self.members = members
        if members.count > Self.searchedMaximum { rebuildIndex() }
    }

    /// How many members there are.
    package var count: Int { members.count }

    /// Whether there are none.
    package var isEmpty: Bool { members.isEmpty }

    /// The names in order.
    package var keys: [String] { members.map(\.key) }

    /// The value of a name. Setting adds at the end or replaces in place; setting nil removes.
    package subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?):
                members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                if index != nil { rebuildIndex() }
            case (nil, let value?):
                index?[ExactText(key)] = members.count
                members.append((key, value))
                if index == nil, members.count > Self.searchedMaximum { rebuildIndex() }
            case (nil, nil):
                break
            }
        }
    }

    private func position(of key: String) -> Int? {
        if let index { return index[ExactText(key)] }
        return members.firstIndex { $0.key.isExactly(key) }
    }

    private mutating func rebuildIndex() {
        index = Dictionary(uniqueKeysWithValues: members.enumerated().map { (ExactText($0.element.key), $0.offset) })
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same names with equal values, in whatever order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}
