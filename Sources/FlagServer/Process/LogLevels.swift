import Logging
import Platform

/// What a line of the log is about, where lines of it may be more or less important than others.
enum LogModule: String, CaseIterable {
    /// Requests of administration, and changes that wait for others.
    case administration
    /// The audit log.
    case audit
    /// The DynamoDB port.
    case dynamodb
    /// Evaluations.
    case evaluation
    /// Keys, accounts, tokens.
    case keys
    /// Schedules.
    case schedules
    /// The tables, who follows their changes, backups.
    case store
}

/// The least important levels that are written, by what a line is about. One for the process: every logger reads it,
/// and it may be exchanged at any time.
final class LogLevels: Sendable {
    /// Those of the process.
    static let shared = LogLevels()

    private struct State {
        var standard = Logger.Level.info
        /// Where they differ from the standard.
        var modules: [LogModule: Logger.Level] = [:]
        /// Whether everything is written for a while.
        var isRaised = false
    }

    private let state = Locked(State())
    private static let label = "flag-server"

    /// The label of a logger.
    static func label(of module: LogModule?) -> String { module.map { "\(label).\($0.rawValue)" } ?? label }

    /// The level that holds for a logger with a label.
    func level(of label: String) -> Logger.Level {
        state.withLock { state in
            if state.isRaised { return .debug }
            if state.modules.isEmpty { return state.standard }
            let module = LogModule(rawValue: String(label.dropFirst(Self.label.count + 1)))
            return module.flatMap { state.modules[$0] } ?? state.standard
        }
    }

    /// Has other levels hold: one, and those for lines about something.
    func replace(_ standard: Logger.Level, _ modules: [LogModule: Logger.Level] = [:]) {
        state.withLock { ($0.standard, $0.modules) = (standard, modules) }
    }

    /// Has everything down to debug written, or what the levels say again.
    func raise(_ isRaised: Bool) { state.withLock { $0.isRaised = isRaised } }
}

extension Logger {
    /// A logger for lines about something; nil for those about the server as a whole.
    static func about(_ module: LogModule? = nil) -> Logger { Logger(label: LogLevels.label(of: module)) }
}
