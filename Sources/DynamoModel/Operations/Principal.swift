/// Who made a change, and in what circumstances.
///
/// Two are equal when they are the same actor, whatever the circumstances.
package struct Principal: Sendable, Hashable, CustomStringConvertible {
    /// What kind of actor it is.
    package enum Kind: String, Sendable {
        /// Nobody in particular: authentication is off.
        case anonymous
        /// A command of the command line.
        case command
        /// A user of this machine, on the control socket.
        case local
        /// A person's account.
        case account
        /// A key of the programming interface.
        case key
        /// An access key of the DynamoDB protocol.
        case accessKey = "access-key"
        /// The server itself.
        case server
    }

    /// What kind of actor it is.
    package let kind: Kind
    /// Which one: the command, the account, the identifier (never the secret) of the key.
    package let name: String
    /// In what circumstances the change is made; nil where nothing is known of them.
    package private(set) var circumstances: ChangeCircumstances?

    /// The principal of a kind and a name.
    package init(_ kind: Kind, _ name: String = "") {
        self.kind = kind
        self.name = name
    }

    /// The same actor in some circumstances.
    package func with(_ circumstances: ChangeCircumstances) -> Principal {
        var principal = self
        principal.circumstances = circumstances == ChangeCircumstances() ? nil : circumstances
        return principal
    }

    package static func == (left: Principal, right: Principal) -> Bool {
        left.kind == right.kind && left.name == right.name
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(name)
    }

    /// Nobody in particular.
    package static let anonymous = Principal(.anonymous)
    /// The server itself.
    package static let server = Principal(.server)

    // MARK: - As text

    /// As in `command import`, `local:root` or `anonymous`.
    package var description: String {
        if kind == .local { return "\(Self.localPrefix)\(name)" }
        return name.isEmpty ? kind.rawValue : "\(kind.rawValue) \(name)"
    }

    private static let localPrefix = "local:"

    /// Reads what `description` writes; an unknown kind is taken for an anonymous principal with the text as name.
    package init(description: String) {
        if description.hasPrefix(Self.localPrefix) {
            self.init(.local, String(description.dropFirst(Self.localPrefix.count)))
            return
        }
        let words = description.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        if let kind = words.first.flatMap({ Kind(rawValue: String($0)) }) {
            self.init(kind, words.count > 1 ? String(words[1]) : "")
        } else {
            self.init(.anonymous, description)
        }
    }
}
