import Access
import Bytes
import FlagCache
import FlagCore
import HTTPRouting

/// The tenant that a request is about, if any.
struct NamedTenant {
    let id: UnsafeRawBufferPointer?
}

/// Where, and about whom, a caller may ask.
extension EvaluationInput {
    /// The environment that is meant: the one that the query names, else the caller's only one, else the profile's.
    @inline(__always)
    func environment(orElse standard: Environment) -> Environment {
        environment ?? caller.onlyEnvironment ?? standard
    }

    /// Whether the caller may ask this there.
    @inline(__always)
    func isAllowed(in environment: Environment) -> Bool {
        caller.permissions(in: environment).contains(kind == .explain ? .read : .evaluate)
    }

    /// What the caller may know of a flag: one that is not for keys in browsers does not exist for such a key.
    @inline(__always)
    func visible(_ lookup: FlagLookup) -> FlagLookup {
        guard caller.seesClientSideOnly, case .found(let flag, let source) = lookup, !flag.isClientSide else {
            return lookup
        }
        return .absent(source)
    }

    /// The tenant that is meant: the caller's own where there is one, else the one that the context names. Nil when it
    /// names another than the caller's.
    @inline(__always)
    func tenant(named: UnsafeRawBufferPointer?) -> NamedTenant? {
        guard let boundTenant else { return NamedTenant(id: named) }
        if let named, !named.elementsEqual(boundTenant) { return nil }
        return NamedTenant(id: boundTenant)
    }
}

extension Problem {
    /// Another environment than those of the caller.
    static func forbidden(in environment: Environment) -> Problem {
        Problem(.forbidden, "whoever sent this may not ask for flags of \(environment.rawValue)")
    }

    /// Another tenant than the caller's.
    static let otherTenant = Problem(
        .forbidden, "whoever sent this may ask for one tenant alone, and the request names another: leave tenantId out")
}

extension OFREPFailure {
    /// Another environment than those of the caller.
    static func forbidden(in environment: Environment) -> OFREPFailure {
        OFREPFailure(.general, Problem.forbidden(in: environment).detail)
    }

    /// Another tenant than the caller's.
    static let otherTenant = OFREPFailure(.general, Problem.otherTenant.detail)
}
