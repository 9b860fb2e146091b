import AccessStore
import Audit
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// What changes of the store become in the audit log.
///
/// Changes that are alike and follow one another are told together: keys of a segment that one request changes, and
/// items of tables that are nothing of this program's.
struct AuditedChanges {
    private let flagTables: Set<String>
    private let nameOf: @Sendable (Principal) -> String?
    private(set) var additions: [AuditLog.Addition] = []
    private var run: Run?

    /// What follows one another, and is told together.
    private struct Run {
        var entry: AuditEntry
        var last: Int64
        var put = 0
        var deleted = 0
        var added: [JSONValue] = []
        var removed: [JSONValue] = []
        var bytes = 0
    }

    /// - Parameters:
    ///   - flagTables: the tables that are of flags.
    ///   - nameOf: what people call a principal; nil where that is no other name.
    init(flagTables: Set<String>, nameOf: @escaping @Sendable (Principal) -> String?) {
        self.flagTables = flagTables
        self.nameOf = nameOf
    }

    /// What is kept of a change until it is looked at; nil for one that the log has nothing of. Of items of tables
    /// that are nothing of this program's, their keys alone.
    static func selected(_ change: TableChange, flagTables: Set<String>) -> TableChange? {
        if flagTables.contains(change.table) {
            // On the writer's queue: no more of the key is read than it takes.
            let isRevision = change.key.partition.stringValue?.utf8.starts(with: "REVISION#".utf8) ?? false
            return isRevision ? nil : change
        }
        if change.table == AccessTable.name { return change }
        if InternalTables.accompanied(by: change.table)?.kind == InternalTables.history { return nil }
        return TableChange(
            sequence: change.sequence, committedAt: change.committedAt, principal: change.principal,
            table: change.table, key: change.key, oldItem: nil, newItem: change.newItem == nil ? nil : [:],
            bytes: 0)
    }

    /// Adds a change behind those before it.
    mutating func add(_ change: TableChange) {
        if continueRun(change) { return }
        endRun()
        if beginRun(change) { return }
        guard var entry = entry(of: change) else { return }
        entry.change = change.sequence
        entry.principalName = nameOf(change.principal)
        additions.append(AuditLog.Addition(entry: entry, position: change.sequence))
    }

    private func entry(of change: TableChange) -> AuditEntry? {
        if change.table == AccessTable.name { return AuditedAccess.entry(of: change) }
        guard flagTables.contains(change.table) else { return nil }
        return flagTableEntry(of: change)
    }

    // MARK: - The flag table

    private func flagTableEntry(of change: TableChange) -> AuditEntry {
        let isRepair = change.principal.kind == .server && change.principal.name == FlagTableFollower.repairer
        var target = AuditTarget()
        var environment: Environment?
        let subject: String
        var verb = change.oldItem == nil ? "create" : change.newItem == nil ? "delete" : "update"
        switch ItemKey(change.key) {
        case .flag(let place, let key)?:
            (subject, environment, target.flag) = ("flag", place, key)
        case .override(let place, let tenant, let key)?:
            (subject, environment, target.flag, target.tenant) = ("override", place, key, tenant)
        case .killSwitch(let place, let key)?:
            (subject, environment, target.flag) = ("kill-switch", place, key)
            if let item = change.newItem { verb = item["enabled"] == false ? "deactivate" : "activate" }
        case .segment(let place, let name)?, .segmentKey(let place, let name, _)?:
            (subject, environment, target.segment) = ("segment", place, name)
        case .revision?, nil:
            (subject, target) = ("item", AuditTarget("item", Self.name(of: change.key)))
        }
        if isRepair { verb = "repair" }
        var entry = AuditEntry(
            AuditAction(subject, verb), by: change.principal,
            at: Timestamp(millisecondsSinceEpoch: change.committedAt))
        entry.target = target
        entry.environment = environment
        entry.content = AuditContent(
            from: change.oldItem.map { ItemDocument.document(of: $0, derived: isRepair) } ?? .null,
            to: change.newItem.map { ItemDocument.document(of: $0, derived: isRepair) } ?? .null)
        return entry
    }

    /// A key that is not one of the program's, for people.
    private static func name(of key: TableKey) -> String {
        [key.partition, key.sort].compactMap { $0?.json.serialized() }.joined(separator: " / ")
    }
}

// MARK: - What is told together

extension AuditedChanges {
    /// Bytes of segment keys that one entry tells of at most.
    private static let runBytesMaximum = AuditContent.bytesMaximum

    /// What a change is told together with others as; nil for what is told by itself.
    private func together(_ change: TableChange) -> (AuditAction, AuditTarget, Environment?)? {
        if flagTables.contains(change.table) {
            guard case .segmentKey(let environment, let name, _)? = ItemKey(change.key) else { return nil }
            var target = AuditTarget()
            target.segment = name
            return (AuditAction("segment", "keys"), target, environment)
        }
        if change.table == AccessTable.name { return nil }
        return (AuditAction("table", "items"), AuditTarget("table", change.table), nil)
    }

    private mutating func beginRun(_ change: TableChange) -> Bool {
        guard let (action, target, environment) = together(change) else { return false }
        var entry = AuditEntry(
            action, by: change.principal, at: Timestamp(millisecondsSinceEpoch: change.committedAt))
        entry.target = target
        entry.environment = environment
        entry.change = change.sequence
        entry.principalName = nameOf(change.principal)
        run = Run(entry: entry, last: change.sequence)
        count(change)
        return true
    }

    private mutating func continueRun(_ change: TableChange) -> Bool {
        guard let run, let (action, target, environment) = together(change), action == run.entry.action,
            target == run.entry.target, environment == run.entry.environment, change.principal == run.entry.principal,
            run.bytes < Self.runBytesMaximum,
            action.subject == "table"
                || change.principal.circumstances == run.entry.principal.circumstances
        else { return false }
        self.run?.last = change.sequence
        self.run?.entry.until = Timestamp(millisecondsSinceEpoch: change.committedAt)
        count(change)
        return true
    }

    private mutating func count(_ change: TableChange) {
        if change.newItem == nil { run?.deleted += 1 } else { run?.put += 1 }
        guard case .segmentKey(_, _, let key)? = flagTables.contains(change.table) ? ItemKey(change.key) : nil else {
            return
        }
        run?.bytes += key.utf8.count
        if change.newItem == nil { run?.removed.append(.string(key)) } else { run?.added.append(.string(key)) }
    }

    /// Ends what is told together: nothing more comes that belongs to it.
    mutating func endRun() {
        guard var run else { return }
        self.run = nil
        run.entry.count = run.put + run.deleted
        if run.entry.action.subject == "table" {
            run.entry.details = ["written": .integer(run.put), "deleted": .integer(run.deleted)]
        } else {
            run.entry.details = ["added": .array(run.added), "removed": .array(run.removed)]
        }
        additions.append(AuditLog.Addition(entry: run.entry, position: run.last))
    }
}
