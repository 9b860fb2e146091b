import Access
import AccessStore
import Audit
import AuditStore
import DynamoModel
import FlagCore
import FlagStore
import Glibc
import HTTPClient
import HTTPTransport
import JSON
import Logging
import TableEngine
import Telemetry

extension ServerProcess {
    /// Begins the audit log of a store, and has it told what the server runs with.
    ///
    /// - Throws: why there is no key that its records are sealed with.
    func openAudit(_ store: DataStore, _ keys: KeyStore, _ logger: Logger) throws -> AuditTrail {
        let file = AccessKeyFile(
            directory: configuration.store == .sqlite ? configuration.dataDirectory : nil, environment: environment)
        let key: [UInt8]
        do throws(KeyStoreError) { key = try file.digests(creates: try keys.hasNothing()).auditKey } catch {
            if case .secretKey(let reason) = error { throw CommandFailure(reason) }
            throw CommandFailure("the keys and accounts cannot be read: \(error)")
        }
        let trail = AuditTrail(
            store: store.tables, flagTables: Set(Profile.allCases.map(\.tableName)), key: key,
            nameOf: { principal in
                switch principal.kind {
                case .key: keys.ring.record(principal.name)?.name
                case .accessKey: keys.accessKeys.key(principal.name)?.record.name
                default: nil
                }
            })
        trail.start()
        trail.noteSettings { [configuration] in configuration.texts }
        trail.keepRecords(for: Int64(configuration.audit.retentionDays) * 86_400_000) { [tables = store.tables] in
            tables.timeForForgetting
        }
        trail.verifyDaily { problems in
            Logger.about(.audit).critical(
                "the audit log is not what was written", metadata: ["problems": "\(problems.joined(separator: "; "))"])
        }
        if let sink = try sink() {
            let logger = Logger.about(.audit)
            trail.ship(to: sink) { failure in
                if let failure {
                    logger.error(
                        "records of the audit log cannot be copied (audit.ship): it is tried again until they can",
                        metadata: ["reason": "\(failure.reason)"])
                } else {
                    logger.notice("records of the audit log are copied again")
                }
            }
        }
        return trail
    }

    /// Where records are copied to; nil for nowhere.
    private func sink() throws -> (any AuditSink)? {
        switch configuration.audit.destination {
        case nil: return nil
        case .file(let path): return AuditFileSink(path: path)
        case .url(let url):
            let settings = HTTPClientSettings(userAgent: "flag-server/\(FlagServerCommand.version)")
            return AuditWebhookSink(url: url, client: try HTTPClient(settings))
        }
    }
}

extension AuditTrail {
    /// Counts whoever is refused on the DynamoDB port.
    var noteRefusal: @Sendable (Principal, String, PeerAddress) -> Void {
        { [self] principal, request, address in
            var circumstances = ChangeCircumstances()
            circumstances.address = "\(address)"
            tallyRefusal(of: principal.with(circumstances), request)
        }
    }
}

extension AuditTrail {
    /// Writes what there is to be known of the log. From memory.
    func writeMetrics(to text: inout MetricsText) {
        let statistics = statistics
        text.family("flag_server_audit_records_total", .counter, "Records that were added to the audit log.")
        text.sample(statistics.records)
        text.family(
            "flag_server_audit_failures_total", .counter,
            "How often records could not be added, and were tried again.")
        text.sample(statistics.failures)
        text.family(
            "flag_server_audit_lost_records_total", .counter,
            "Records of what is no change that there was no room for; a record says how many.")
        text.sample(statistics.lost)
        text.family(
            "flag_server_audit_chain_broken", .gauge,
            "Whether the last check of the whole log, once a day or when somebody asked, found something wrong.")
        if let isBroken = statistics.isBroken { text.sample(isBroken ? 1 : 0 as UInt64) }
        if let head {
            text.family("flag_server_audit_head", .gauge, "The sequence of the last record.")
            text.sample(UInt64(head.sequence))
        }
        guard let shipped = statistics.shipped else { return }
        text.family("flag_server_audit_shipped", .gauge, "The last record that was copied elsewhere (audit.ship).")
        text.sample(UInt64(shipped))
        text.family(
            "flag_server_audit_shipment_failures_total", .counter,
            "How often records could not be copied, and were tried again.")
        text.sample(statistics.shipmentFailures)
    }
}

extension AuditEntry {
    /// What happens to the server itself.
    static func ofServer(_ action: AuditAction, _ configuration: ServerConfiguration) -> AuditEntry {
        var entry = AuditEntry(action, by: .server, at: .systemClock)
        entry.target = AuditTarget("server")
        entry.details = [
            "version": .string(FlagServerCommand.version), "profile": .string(configuration.profile.rawValue),
            "auth": .string(configuration.auth.rawValue), "process": .integer(Int64(getpid())),
        ]
        return entry
    }
}
