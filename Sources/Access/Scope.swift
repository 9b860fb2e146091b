import DynamoModel
import FlagCore

/// The leave to change one environment: who does it, where and when. Every write of the store wants one, so that no
/// change is without somebody who made it.
package struct WriteScope: Sendable {
    /// Who makes the change, and in what circumstances.
    package let principal: Principal
    /// Where.
    package let environment: Environment
    /// When.
    package let instant: Timestamp

    fileprivate init(_ principal: Principal, _ environment: Environment, _ instant: Timestamp) {
        self.principal = principal
        self.environment = environment
        self.instant = instant
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
    /// The same leave for a change that comes about through something.
    package func caused(by cause: String) -> WriteScope {
        var circumstances = principal.circumstances ?? ChangeCircumstances()
        circumstances.cause = cause
        return WriteScope(principal.with(circumstances), environment, instant)
    }

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
    ///   - circumstances: how it comes about.
    package func writeScope(
        _ permissions: Permissions, in environment: Environment, at instant: Timestamp,
        _ circumstances: ChangeCircumstances = ChangeCircumstances()
    ) -> WriteScope? {
        guard self.permissions(in: environment).isSuperset(of: permissions) else { return nil }
        return WriteScope(principal.with(circumstances), environment, instant)
    }
}
