/// What a route asks of whoever calls it.
package enum RouteAccess: Sendable, Hashable {
    /// Nothing: also strangers are answered.
    case open
    /// A caller, whoever it is.
    case anyCaller
    /// A caller who may this in at least one environment; in which one is decided when the environment is known.
    case needs(Permissions)
    /// A caller who may this in every environment and for every tenant: what concerns tables concerns all that is in
    /// them.
    case needsEverywhere(Permissions)

    /// What whoever calls must be allowed.
    package var permissions: Permissions {
        switch self {
        case .open, .anyCaller: []
        case .needs(let permissions), .needsEverywhere(let permissions): permissions
        }
    }

    /// Whether a caller may in; nil is a stranger. O(environments), no I/O and no clock.
    package func verdict(on caller: Caller?) -> Verdict {
        switch (self, caller) {
        case (.open, _): .admitted
        case (.anyCaller, nil), (.needs, nil), (.needsEverywhere, nil): .unknownCaller
        case (.anyCaller, .some): .admitted
        case (.needs(let permissions), .some(let caller)):
            caller.anywhere.isSuperset(of: permissions) ? .admitted : .forbidden
        case (.needsEverywhere(let permissions), .some(let caller)):
            // Whoever is bound to one tenant is not let near what is of all.
            caller.tenant == nil && caller.everywhere.isSuperset(of: permissions) ? .admitted : .forbidden
        }
    }

    /// What a route makes of a caller.
    package enum Verdict: Sendable, Hashable {
        case admitted
        /// Who calls must first say who they are (401).
        case unknownCaller
        /// Who calls may not do this anywhere, or not everywhere where that is needed (403).
        case forbidden
    }
}
