/// Who made a change.
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

    /// The principal of a kind and a name.
    package init(_ kind: Kind, _ name: String = "") {
        self.kind = kind
        self.name = name
    }

    /// Nobody in particular.
    package static let anonymous = Principal(.anonymous)
    /// The server itself.
    package static let server = Principal(.server)

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

/// One change of one item, as the change stream holds it.
package struct TableChange: Sendable, Equatable {
    /// The position in the stream: higher than that of every change committed before.
    package let sequence: Int64
    /// When it was committed, in milliseconds since 1970, by the clock: lower than that of the change before where the
    /// clock was set back.
    package let committedAt: Int64
    /// Who made it.
    package let principal: Principal
    /// The table.
    package let table: String
    /// The item's key.
    package let key: TableKey
    /// The item before, nil when it is new.
    package let oldItem: Item?
    /// The item afterwards, nil when it was removed.
    package let newItem: Item?

    /// Takes the parts as they are.
    package init(
        sequence: Int64, committedAt: Int64, principal: Principal, table: String, key: TableKey, oldItem: Item?,
        newItem: Item?
    ) {
        self.sequence = sequence
        self.committedAt = committedAt
        self.principal = principal
        self.table = table
        self.key = key
        self.oldItem = oldItem
        self.newItem = newItem
    }
}
