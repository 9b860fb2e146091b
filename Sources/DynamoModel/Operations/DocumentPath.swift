/// Where a value lies in an item: an attribute, or a member of a map or an element of a list within one.
package struct DocumentPath: Sendable, Hashable {
    /// One step down.
    package enum Step: Sendable, Hashable {
        /// The member of this name of a map.
        case member(AttributeName)
        /// The element at this position of a list, from 0.
        case element(Int)
    }

    /// The name of the attribute of the item.
    package let attribute: AttributeName
    /// The steps into it, none for the attribute itself.
    package let steps: [Step]

    /// The path of an attribute and the steps into it.
    package init(_ attribute: AttributeName, _ steps: [Step] = []) {
        self.attribute = attribute
        self.steps = steps
    }
}

extension DocumentPath: ExpressibleByStringLiteral {
    /// The attribute of this name, taken as it is: a dot is part of the name.
    package init(stringLiteral value: String) { self.init(AttributeName(value)) }
}

extension DocumentPath: CustomStringConvertible {
    package var description: String {
        steps.reduce(into: attribute.text) { text, step in
            switch step {
            case .member(let name): text += ".\(name)"
            case .element(let index): text += "[\(index)]"
            }
        }
    }
}
