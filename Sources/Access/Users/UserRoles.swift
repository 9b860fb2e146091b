import FlagCore

/// What a person is trusted with in each environment.
package struct UserRoles: Sendable, Equatable {
    /// The roles by environment, each in the order of `Role.allCases`; none for an environment that is missing.
    private let byEnvironment: [Environment: [Role]]

    /// Roles by environment, each at most once.
    package init(_ roles: [Environment: Set<Role>]) {
        byEnvironment = roles.mapValues { roles in Role.allCases.filter(roles.contains) }.filter { !$0.value.isEmpty }
    }

    /// The same roles in all environments.
    package init(everywhere roles: Set<Role>) {
        self.init(Dictionary(uniqueKeysWithValues: Environment.allCases.map { ($0, roles) }))
    }

    /// The roles in an environment.
    package subscript(environment: Environment) -> [Role] { byEnvironment[environment] ?? [] }

    /// Whether there is no role anywhere.
    package var isEmpty: Bool { byEnvironment.isEmpty }

    /// What the roles allow in an environment.
    package func permissions(in environment: Environment) -> Permissions {
        self[environment].reduce([]) { $0.union($1.permissions) }
    }

    /// Whether a password alone is too little: for whoever is an administrator anywhere, and for whoever is anything in
    /// production.
    package var needSecondFactor: Bool {
        !self[.production].isEmpty || byEnvironment.values.contains { $0.contains(.admin) }
    }
}
