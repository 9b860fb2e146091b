import Access
import Audit
import AuditStore
import Bytes
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import JSON

/// What the audit log is told of requests, beside the changes that it finds in the store.
extension Administration {
    /// Records what the log is to have of a request before it is answered, then calls back: when that is durable, or
    /// cannot be had now. Never blocks.
    ///
    /// - Parameter status: what it is answered with.
    package func record(_ event: AdministrationEvent, _ status: UInt16, then done: @escaping @Sendable () -> Void) {
        guard let audit else { return done() }
        switch event.audit {
        case .signIn: recordSignIn(event, status, audit, done)
        case _ where status == 401 || status == 403:
            audit.tally(AuditEntry(event, .refuse, .refused, AuditTarget("route", "\(event.method) \(event.target)")))
            done()
        case .watched where status < 400:
            var entry = AuditEntry(event, .read, .done, AuditTarget("route", "\(event.method) \(event.target)"))
            entry.details = ["operation": .string(event.operationID)]
            // Of a list that is read to its end, its pages are counted.
            if event.isNextPage { audit.tally(entry) } else { return audit.note(entry, done: done) }
            done()
        case .work:
            let target = AuditTarget("route", "\(event.method) \(event.target)")
            let action = Self.works[event.operationID] ?? AuditAction("work", event.operationID)
            var entry = AuditEntry(event, action, status < 400 ? .done : .failed, target)
            if status >= 400 { entry.details = ["status": .integer(Int64(status))] }
            audit.note(entry, done: done)
        case .none, .read, .watched, .change: done()
        }
    }

    /// Counts whoever is refused for lack of rights; nil where no audit log is kept.
    package var noteRefusal: RouteGate.NoteRefusal? {
        guard let audit else { return nil }
        return { refusal in
            var circumstances = ChangeCircumstances()
            circumstances.requestID = refusal.requestID.text
            circumstances.address = "\(refusal.client)"
            circumstances.userAgent = refusal.userAgent
            let principal = refusal.caller?.principal ?? .anonymous
            audit.tallyRefusal(of: principal.with(circumstances), refusal.request)
        }
    }

    /// What work is called that leaves nothing behind by which it could be told.
    private static let works: [String: AuditAction] = [
        "importFlags": AuditAction("flags", "import"), "createBackup": AuditAction("backup", "create"),
        "deleteBackup": AuditAction("backup", "delete"), "restoreTable": AuditAction("backup", "restore"),
        "beginContinuousBackups": AuditAction("backup", "continuous-on"),
        "endContinuousBackups": AuditAction("backup", "continuous-off"),
        "verifyStore": AuditAction("store", "verify"), "cancelWork": AuditAction("work", "cancel"),
        "endSession": AuditAction("access", "sign-out"),
    ]

    private func recordSignIn(
        _ event: AdministrationEvent, _ status: UInt16, _ audit: AuditTrail, _ done: @escaping @Sendable () -> Void
    ) {
        var entry = AuditEntry(
            event, .signIn, status < 400 ? .done : .refused, AuditTarget("route", "\(event.method) \(event.target)"))
        if let principal = event.identity.principal {
            entry.principal = Principal(description: principal).with(entry.principal.circumstances ?? .init())
        }
        switch status {
        case ..<400: audit.note(entry, done: done)
        case 400, 401, 403, 429:
            // Anybody can cause as many of these as they like.
            audit.tally(entry)
            done()
        default: done()
        }
    }
}

extension AuditEntry {
    /// What a request says of itself.
    fileprivate init(
        _ event: AdministrationEvent, _ action: AuditAction, _ outcome: AuditOutcome, _ target: AuditTarget
    ) {
        var circumstances = ChangeCircumstances()
        circumstances.reason = event.reason
        circumstances.requestID = event.requestID.text
        circumstances.address = event.client
        circumstances.userAgent = event.userAgent
        circumstances.proof = event.caller.principal.proof(showing: event.proof)
        self.init(action, by: event.caller.principal.with(circumstances), at: .systemClock)
        self.outcome = outcome
        self.target = target
    }
}
