import FlagCore

/// A key as somebody wants it.
package struct KeyDraft: Sendable, Equatable {
    package let kind: KeyKind
    /// What people call it.
    package let name: String
    /// Where it is good; nil for everywhere.
    package let environment: Environment?
    /// What a key for administration may.
    package let roles: [Role]
    /// The only tenant that requests with it can be about; nil for any.
    package let tenantID: String?
    package let lifetime: KeyLifetime
    /// How often evaluations may be asked for with it; nil for as often as all together may.
    package let rate: RequestRate?

    /// A key of these parts, which `fault` says whether they go together.
    package init(
        kind: KeyKind, name: String, environment: Environment?, roles: [Role], tenantID: String?, lifetime: KeyLifetime,
        rate: RequestRate? = nil
    ) {
        self.kind = kind
        self.name = name
        self.environment = environment
        self.roles = roles
        self.tenantID = tenantID
        self.lifetime = lifetime
        self.rate = rate
    }

    /// What does not go together, and of which member; nil when all does.
    package var fault: (member: String, detail: String)? {
        if kind == .admin, roles.isEmpty {
            return ("roles", "a key for administration needs one or more of \(Role.names)")
        }
        if kind != .admin, !roles.isEmpty {
            return ("roles", "only a key for administration has roles; this one evaluates")
        }
        if kind == .admin, rate != nil {
            return ("rate", "a key for administration has the rate of all; only one that evaluates has its own")
        }
        if kind == .admin, lifetime == .forever {
            return ("expires", "a key for administration ends: name a time such as 90d")
        }
        return nil
    }
}

/// How long a key is good.
package enum KeyLifetime: Sendable, Equatable {
    case hours(Int)
    case forever

    /// How long where nothing else is said.
    package static let standard = KeyLifetime.hours(90 * 24)
    /// What is expected, for messages.
    package static let expectation = "must be days or hours, as in 90d or 12h, up to 3650d, or never"

    /// Reads `90d`, `12h` or `never`; nil for anything else.
    package init?(_ text: String) {
        if text == "never" {
            self = .forever
            return
        }
        guard let unit = text.last, let count = Int(text.dropLast()), text.first?.isNumber == true, count > 0 else {
            return nil
        }
        switch unit {
        case "d" where count <= 3650: self = .hours(count * 24)
        case "h" where count <= 3650 * 24: self = .hours(count)
        default: return nil
        }
    }

    /// In milliseconds; nil for ever.
    package var milliseconds: Int64? {
        if case .hours(let hours) = self { Int64(hours) * 3_600_000 } else { nil }
    }

    /// When it ends that begins at an instant; nil for never.
    package func end(from now: Timestamp) -> Timestamp? {
        milliseconds.map { Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + $0) }
    }
}
