import Bytes
import DynamoModel
import FlagCore

/// The leave to change one environment: who does it, where, when, and on which request. Every write of the store wants
/// one, so that no change is without somebody who made it.
package struct WriteScope: Sendable {
    /// Who makes the change.
    package let principal: Principal
    /// Where.
    package let environment: Environment
    /// When.
    package let instant: Timestamp
    /// The request that asked for it; nil where none did.
    package let requestID: RequestID?

    private init(
        _ principal: Principal, _ environment: Environment, _ instant: Timestamp, _ requestID: RequestID? = nil
    ) {
        self.principal = principal
        self.environment = environment
        self.instant = instant
        self.requestID = requestID
    }

    fileprivate init(
        of caller: Caller, in environment: Environment, at instant: Timestamp, on requestID: RequestID?
    ) {
        self.init(caller.principal, environment, instant, requestID)
    }

    /// The scope of what the server does of its own accord.
    ///
    /// - Parameter name: what it is, such as `sample-flags`.
    package static func server(_ name: String, in environment: Environment, at instant: Timestamp) -> WriteScope {
        WriteScope(Principal(.server, name), environment, instant)
    }
}

/// The leave to see one environment: who looks, and where. Every read of flags for somebody wants one, so that nobody
/// reaches an environment without being somebody.
package struct ReadScope: Sendable {
    /// Who looks.
    package let principal: Principal
    /// Where.
    package let environment: Environment

    fileprivate init(_ principal: Principal, _ environment: Environment) {
        self.principal = principal
        self.environment = environment
    }

    /// The scope of what the server looks at of its own accord.
    ///
    /// - Parameter name: what it is, such as `metrics`.
    package static func server(_ name: String, in environment: Environment) -> ReadScope {
        ReadScope(Principal(.server, name), environment)
    }
}

extension WriteScope {
    /// Whoever may change an environment sees what there is to be changed.
    package var reading: ReadScope { ReadScope(principal, environment) }
}

extension Caller {
    /// The leave to see an environment; nil for a caller who may not.
    package func readScope(in environment: Environment) -> ReadScope? {
        permissions(in: environment).contains(.read) ? ReadScope(principal, environment) : nil
    }

    /// The leave to change an environment; nil for a caller who may not.
    ///
    /// - Parameters:
    ///   - permissions: what the change needs.
    ///   - instant: when the change is made.
    ///   - requestID: the request that asks for it.
    package func writeScope(
        _ permissions: Permissions, in environment: Environment, at instant: Timestamp, on requestID: RequestID?
    ) -> WriteScope? {
        guard self.permissions(in: environment).isSuperset(of: permissions) else { return nil }
        return WriteScope(of: self, in: environment, at: instant, on: requestID)
    }
}
