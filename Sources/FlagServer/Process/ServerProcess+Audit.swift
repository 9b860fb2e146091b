import AccessStore
import Audit
import AuditStore
import DynamoModel
import FlagCore
import FlagStore
import Glibc
import HTTPTransport
import Logging
import TableEngine

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
            store: store.tables, flagTable: configuration.profile.tableName, key: key,
            nameOf: { principal in
                switch principal.kind {
                case .key: keys.ring.record(principal.name)?.name
                case .accessKey: keys.accessKeys.key(principal.name)?.record.name
                default: nil
                }
            })
        trail.start()
        trail.noteSettings(configuration.texts)
        trail.keepRecords(for: Int64(configuration.audit.retentionDays) * 86_400_000) { [tables = store.tables] in
            tables.timeForForgetting
        }
        return trail
    }
}

extension AuditTrail {
    /// Counts whoever is refused on the DynamoDB port.
    var noteRefusal: @Sendable (Principal, String, PeerAddress) -> Void {
        { [self] principal, request, address in
            var circumstances = ChangeCircumstances()
            circumstances.address = "\(address)"
            var entry = AuditEntry(.refuse, by: principal.with(circumstances), at: .systemClock)
            entry.outcome = .refused
            entry.target = AuditTarget("route", request)
            tally(entry)
        }
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
