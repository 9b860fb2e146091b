import Bytes
import JSON

/// One of the three environments whose flags live side by side in a profile's table.
///
/// The raw value is the spelling that the table's keys carry (`FLAG#staging#new-checkout`).
package enum Environment: String, Sendable, Hashable, CaseIterable {
    case development
    case staging
    case production

    /// What an error about an unknown name says: every accepted spelling and what it means.
    package static let spellings =
        "development (also spelled local), staging (also spelled dev) or production (also spelled prod)"

    /// The environment that `spelling` names: its full name, or the profile's name (`local` → development, `dev` →
    /// staging, `prod` → production).
    ///
    /// - Parameter spelling: exact, lower case.
    /// - Returns: nil when no environment is spelled so.
    package init?(spelling: some StringProtocol) {
        switch spelling {
        case "development", "local": self = .development
        case "staging", "dev": self = .staging
        case "production", "prod": self = .production
        default: return nil
        }
    }

    /// The same for UTF-8 bytes, without making a string. O(1).
    package init?(spelling bytes: UnsafeRawBufferPointer) {
        for environment in Environment.allCases
        where bytes.hasSameBytes(as: environment.name) || bytes.hasSameBytes(as: environment.profileName) {
            self = environment
            return
        }
        return nil
    }

    /// The environment's number, 0 to 2: an index into arrays with one element each.
    package var index: Int {
        switch self {
        case .development: 0
        case .staging: 1
        case .production: 2
        }
    }

    /// The full name.
    package var name: StaticString {
        switch self {
        case .development: "development"
        case .staging: "staging"
        case .production: "production"
        }
    }

    /// The short name: that of the profile whose default environment this is.
    package var profileName: StaticString {
        switch self {
        case .development: "local"
        case .staging: "dev"
        case .production: "prod"
        }
    }
}
