import Audit
import AuditStore
import ChangeControl
import FlagCore
import HTTPRouting
import HTTPTransport
import Logging
import Platform

/// What SIGHUP asks for: the settings are read again, and those that can be exchanged while the server serves are in
/// force from then on; the certificate and its key are read anew.
///
/// All of it or nothing: settings with a mistake, or a certificate that cannot be used, change nothing.
struct SettingsReload {
    /// What goes by the settings.
    struct Parts {
        let composition: ServerComposition
        let dynamodb: DynamoPort?
        /// How often strangers may ask there.
        let strangers: Throttles?
        let gate: ChangeGate
        let audit: AuditTrail
        let accessLog: RaisedAccessLog
        let logger: Logger
    }

    /// The settings that are in force, and what was written for them.
    private var current: ServerConfiguration
    private var written: [String: String]
    private let parts: Parts
    /// The process's environment.
    private let environment: [String: String]
    private let read: () throws -> (ServerConfiguration, written: [String: String])

    /// - Parameters:
    ///   - configuration: the settings that are in force, and what was written for each, by its key.
    ///   - environment: the process's environment.
    ///   - read: reads the settings from where they were read at the start.
    init(
        _ configuration: (ServerConfiguration, written: [String: String]), _ parts: Parts,
        environment: [String: String], read: @escaping () throws -> (ServerConfiguration, written: [String: String])
    ) {
        (current, written) = configuration
        self.parts = parts
        self.environment = environment
        self.read = read
    }

    /// Reads everything again. What is wrong is told, and then everything stays as it was.
    mutating func run() {
        let logger = parts.logger
        let (next, writtenNext): (ServerConfiguration, [String: String])
        do {
            (next, writtenNext) = try read()
            _ = try next.checked(environment: environment)
            try parts.composition.server.reloadCertificates()
            try parts.dynamodb?.reloadCertificates()
        } catch {
            let issues = (error as? ConfigurationError)?.issues ?? ["\(error)"]
            for issue in issues { logger.error("nothing was read again: \(issue)") }
            return logger.error("the settings and the certificate stay as they were")
        }
        if let exposure = next.tls?.exposure { logger.warning("\(exposure)") }
        let changed = Set(written.keys).union(writtenNext.keys).filter { written[$0] != writtenNext[$0] }.sorted()
        let exchanged = changed.filter(Settings.exchangedWhileServing.contains)
        current.takeExchangeable(of: next)
        // What waits for the next start is told again the next time.
        for key in Settings.exchangedWhileServing { written[key] = writtenNext[key] }
        apply(current)
        let waiting = changed.filter { !Settings.exchangedWhileServing.contains($0) }
        if !waiting.isEmpty {
            logger.warning(
                "some settings that changed take effect at the next start",
                metadata: ["settings": "\(waiting.joined(separator: ", "))"])
        }
        logger.notice(
            "settings and certificate read again",
            metadata: ["changed": "\(exchanged.isEmpty ? "nothing" : exchanged.joined(separator: ", "))"])
        parts.audit.note(.ofServer(.reload, current))
        parts.audit.noteSettings { [current] in current.texts }
    }

    private func apply(_ settings: ServerConfiguration) {
        LogLevels.shared.replace(settings.log.level, settings.log.moduleLevels)
        parts.accessLog.replace(settings.log.access)
        let (administration, evaluations) = (settings.throttle.administration.rate, settings.throttle.evaluations.rate)
        parts.composition.access?.throttles.replace(administration: administration, evaluations: evaluations)
        parts.strangers?.replace(administration: administration, evaluations: nil)
        parts.composition.replaceDoors(PageOrigins(settings.corsOrigins), readers: settings.metricsReaders)
        parts.gate.replace(settings.changes)
    }
}

extension ServerConfiguration {
    /// Takes over what can be exchanged while the server serves.
    mutating func takeExchangeable(of other: ServerConfiguration) {
        throttle = other.throttle
        corsOrigins = other.corsOrigins
        metricsReaders = other.metricsReaders
        let format = log.format
        log = other.log
        log.format = format
        changes = other.changes
    }
}
