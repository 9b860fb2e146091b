import Dispatch
import HTTPTransport
import Logging
import Platform

/// The access log, which tells of every response while everything is told.
final class RaisedAccessLog: Sendable {
    /// What the loops tell.
    let log: AccessLog
    private let state: Locked<(scope: AccessLog.Scope, isRaised: Bool)>

    /// - Parameter tell: told of responses, on the loops.
    init(_ scope: AccessLog.Scope = .off, tell: @escaping @Sendable (AccessRecord) -> Void = { _ in }) {
        log = AccessLog(scope, tell: tell)
        state = Locked((scope, false))
    }

    /// Tells of other responses from now on.
    func replace(_ scope: AccessLog.Scope) {
        state.withLock { state in
            state.scope = scope
            if !state.isRaised { log.replace(scope) }
        }
    }

    /// Tells of every response, or of those that the settings say again.
    func raise(_ isRaised: Bool) {
        state.withLock { state in
            state.isRaised = isRaised
            log.replace(isRaised ? .all : state.scope)
        }
    }
}

/// What SIGUSR1 asks for: for ten minutes everything down to debug is written, and a line for every response.
final class LogDetail: Sendable {
    private let accessLog: RaisedAccessLog
    private let logger: Logger
    private let queue = DispatchQueue(label: "flag-server.log-detail")
    private let asked = Locked(0)

    /// How long it lasts.
    private static let minutes = 10

    init(_ accessLog: RaisedAccessLog, _ logger: Logger) {
        (self.accessLog, self.logger) = (accessLog, logger)
    }

    /// Begins, or begins the ten minutes anew.
    func begin() {
        let number = asked.withLock { asked in
            asked += 1
            return asked
        }
        LogLevels.shared.raise(true)
        accessLog.raise(true)
        logger.notice("everything is told for a while", metadata: ["minutes": .stringConvertible(Self.minutes)])
        queue.asyncAfter(deadline: .now() + .seconds(Self.minutes * 60)) { [self] in
            guard asked.withLock({ $0 }) == number else { return }
            LogLevels.shared.raise(false)
            accessLog.raise(false)
            logger.notice("the log tells again what the settings say")
        }
    }
}
