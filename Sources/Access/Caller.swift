import DynamoModel
import FlagCore

/// Who asks, and what they may in each environment.
///
/// A class so that the hot path holds one by a reference.
package final class Caller: Sendable {
    /// Whose name stands with what they change.
    package let principal: Principal
    /// What they may in some environment or other.
    package let anywhere: Permissions
    /// What they may in all environments.
    package let everywhere: Permissions
    /// The only tenant that their requests can be about; nil for any.
    package let tenant: String?
    /// Whether flags that are not marked `clientSide` do not exist for them.
    package let seesClientSideOnly: Bool
    /// How often they may ask for evaluations; nil for as often as all together may.
    package let rate: OwnRate?
    /// When the key ends that they showed; nil for never, or where they showed none.
    package let endsAt: Timestamp?
    /// What they are counted by: the same for all callers of the same name, in this process alone.
    package let number: UInt64
    /// The only environment in which they may anything; nil where there are several, or none.
    package let onlyEnvironment: Environment?
    /// What they may, by the number of the environment.
    private let permissions: [Permissions]

    /// A caller with permissions of their own in each environment.
    ///
    /// - Parameters:
    ///   - tenant: the only tenant that their requests can be about; nil for any.
    ///   - rate: how often they may ask for evaluations.
    ///   - endsAt: when the key ends that they showed.
    ///   - seesClientSideOnly: whether flags that are not marked `clientSide` do not exist for them.
    package init(
        _ principal: Principal, tenant: String? = nil, seesClientSideOnly: Bool = false,
        rate: OwnRate? = nil, endsAt: Timestamp? = nil,
        _ permissions: (Environment) -> Permissions
    ) {
        self.principal = principal
        self.tenant = tenant
        self.seesClientSideOnly = seesClientSideOnly
        self.rate = rate
        self.endsAt = endsAt
        var hasher = Hasher()
        hasher.combine(principal)
        number = UInt64(bitPattern: Int64(hasher.finalize()))
        let places = Environment.allCases.filter { !permissions($0).isEmpty }
        onlyEnvironment = places.count == 1 ? places[0] : nil
        self.permissions = Environment.allCases.map(permissions)
        anywhere = self.permissions.reduce([]) { $0.union($1) }
        everywhere = self.permissions.reduce(.all) { $0.intersection($1) }
    }

    /// A caller who may the same everywhere.
    package convenience init(_ principal: Principal, everywhere permissions: Permissions) {
        self.init(principal) { _ in permissions }
    }

    /// Whoever asks a server that asks nobody who they are.
    package static let anonymous = Caller(.anonymous, everywhere: .all)

    /// A user of this machine whom the kernel vouches for, and who may do with the data directory what they like.
    package static func local(user name: String) -> Caller { Caller(Principal(.local, name), everywhere: .all) }

    /// A command that opened the data directory itself: whoever may do that may do everything.
    ///
    /// - Parameter name: the command's, such as `import`.
    package static func command(_ name: String) -> Caller { Caller(Principal(.command, name), everywhere: .all) }

    /// Whoever calls an open route of a server that asks who calls: may nothing.
    package static let stranger = Caller(.anonymous, everywhere: [])

    /// What they may in an environment.
    package func permissions(in environment: Environment) -> Permissions { permissions[environment.index] }
}
