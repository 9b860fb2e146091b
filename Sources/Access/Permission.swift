/// Something that a caller may do. What a role may is a set of these.
package struct Permissions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    /// A set of permissions by its bits.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Asking for evaluations.
    package static let evaluate = Permissions(rawValue: 1 << 0)
    /// Seeing flags, segments, overrides, kill switches, histories, metrics, and explanations.
    package static let read = Permissions(rawValue: 1 << 1)
    /// Changing flags and segments.
    package static let changeFlags = Permissions(rawValue: 1 << 2)
    /// Changing overrides of tenants.
    package static let changeOverrides = Permissions(rawValue: 1 << 3)
    /// Setting and ending kill switches.
    package static let killSwitches = Permissions(rawValue: 1 << 4)
    /// Everything that concerns the server as a whole: imports, work under way, and who may do what.
    package static let administer = Permissions(rawValue: 1 << 5)

    /// Everything.
    package static let all: Permissions = [
        .evaluate, .read, .changeFlags, .changeOverrides, .killSwitches, .administer,
    ]

    /// The names of what is in the set, for people: `read, change flags`.
    package var inWords: String { words.joined(separator: ", ") }

    /// The names of what is in the set.
    package var words: [String] {
        let names: [(Permissions, String)] = [
            (.evaluate, "evaluate flags"), (.read, "read"), (.changeFlags, "change flags"),
            (.changeOverrides, "change overrides"), (.killSwitches, "use kill switches"), (.administer, "administer"),
        ]
        return names.filter { contains($0.0) }.map(\.1)
    }
}

/// What a person or a script is trusted with in an environment.
package enum Role: String, CaseIterable, Sendable {
    /// Sees.
    case viewer
    /// Sees, and changes flags, segments and overrides.
    case editor
    /// Sees, and takes features away and gives them back: whoever is on call.
    case `operator`
    /// Does everything.
    case admin

    /// All of them, for people.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// What the role may.
    package var permissions: Permissions {
        switch self {
        case .viewer: .read
        case .editor: [.read, .changeFlags, .changeOverrides]
        case .operator: [.read, .changeOverrides, .killSwitches]
        case .admin: .all
        }
    }
}
