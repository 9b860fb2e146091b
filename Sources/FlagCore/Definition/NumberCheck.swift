import JSON

/// Finds numbers that are too large for a double: one program reads them as infinite, another not at all.
package struct NumberCheck {
    /// What was found, in the order of the document.
    package private(set) var issues: [DefinitionIssue] = []
    private var pointer: JSONPointer

    /// Looks through `value`, which stands at `pointer`. O(value).
    package init(_ value: JSONValue, at pointer: JSONPointer) {
        self.pointer = pointer
        check(value)
    }

    private mutating func check(_ value: JSONValue) {
        switch value {
        case .number(let number) where number.double.isInfinite:
            let spelling = number.spelling.count > 20 ? "\(number.spelling.prefix(20))…" : number.spelling
            let message = "\(spelling) is more than programs can read as a number: up to 1.797e308"
            issues.append(DefinitionIssue(pointer: pointer.description, message: message))
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                pointer.append(index)
                check(element)
                pointer.removeLast()
            }
        case .object(let object):
            for (name, member) in object.members {
                pointer.append(name)
                check(member)
                pointer.removeLast()
            }
        default: break
        }
    }
}
