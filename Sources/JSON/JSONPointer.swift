/// A place in a JSON document (RFC 6901): `/flags/x~1y/targeting/if/0`.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    private enum Token: Sendable, Hashable {
        case name(String)
        case index(Int)
    }

    private var tokens: [Token] = []

    /// The whole document.
    package init() {}

    /// The member `name` of what this points to.
    package func appending(_ name: String) -> JSONPointer {
        var longer = self
        longer.append(name)
        return longer
    }

    /// The element `index` of what this points to.
    package func appending(_ index: Int) -> JSONPointer {
        var longer = self
        longer.append(index)
        return longer
    }

    /// Goes to the member `name`.
    package mutating func append(_ name: String) { tokens.append(.name(name)) }

    /// Goes to the element `index`.
    package mutating func append(_ index: Int) { tokens.append(.index(index)) }

    /// Goes back to what holds this member or element.
    package mutating func removeLast() { tokens.removeLast() }

    /// The pointer's text, `~` and `/` in names escaped; empty for the whole document.
    package var description: String {
        var text = ""
        for token in tokens {
            text += "/"
            switch token {
            case .index(let index): text += String(index)
            case .name(let name):
                for scalar in name.unicodeScalars {
                    switch scalar {
                    case "~": text += "~0"
                    case "/": text += "~1"
                    default: text.unicodeScalars.append(scalar)
                    }
                }
            }
        }
        return text
    }
}
