/// How a server is sized and which table it serves: `local` for a laptop, `dev` and `prod` for shared machines.
package enum Profile: String, Sendable, Hashable, CaseIterable {
    case local
    case dev
    case prod

    /// The profile that a text names: by its own name, or by that of its default environment (`staging` → dev).
    package init?(spelling: String) {
        guard let profile = Self.allCases.first(where: { $0.defaultEnvironment.rawValue == spelling }) else {
            self.init(rawValue: spelling)
            return
        }
        self = profile
    }

    /// The DynamoDB table that holds this profile's flags.
    package var tableName: String { "feature-flags-\(rawValue)" }

    /// The environment of a request that names none.
    package var defaultEnvironment: Environment {
        switch self {
        case .local: .development
        case .dev: .staging
        case .prod: .production
        }
    }
}
