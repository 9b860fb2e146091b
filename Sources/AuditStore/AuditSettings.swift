import Audit
import Dispatch
import DynamoModel
import JSON

/// The settings that a server runs with, as the log remembers them: by sealed digests, which say that one has changed
/// and nothing of what it is.
struct AuditSettings {
    private static let digests: AttributeName = "digests"

    let log: AuditLog

    /// Notes with which settings the server runs now. On the log's queue.
    ///
    /// - Parameter settings: what is set, by name.
    /// - Returns: an entry that names those that are others than the last time; nil where none are, and the first time.
    func note(_ settings: [String: String]) throws(TableError) -> AuditEntry? {
        try log.open()
        let item = try log.store.getItem(table: AuditTable.name, key: AuditTable.settings)
        let former = item?[Self.digests]?.mapValue
        var digests: Item = [:]
        for (name, text) in settings {
            digests[AttributeName(name)] = .binary(Array(log.seal.seal("setting", "\(name)\n\(text)").prefix(16)))
        }
        if former == digests { return nil }
        try log.store.transactAndWait(
            [.put(table: AuditTable.name, item: AuditTable.item(AuditTable.settings, [Self.digests: .map(digests)]))],
            principal: .server)
        guard let former else { return nil }
        let names = Set(former.keys).union(digests.keys).filter { former[$0] != digests[$0] }
        var entry = AuditLog.entry(.configure, ["settings": .array(names.map(\.text).sorted().map { .string($0) })])
        entry.target = AuditTarget("server")
        return entry
    }
}

extension AuditTrail {
    /// Notes with which settings the server runs; those that are others than the last time are told by their names.
    /// Returns at once.
    ///
    /// - Parameter settings: what is set, by name. Only digests of it are kept. Asked on the log's queue: to put all
    ///   settings into words takes a tenth of a start.
    package func noteSettings(_ settings: @escaping @Sendable () -> [String: String]) {
        log.queue.async { [self] in
            // What cannot be read now is compared at the next start.
            if let entry = try? AuditSettings(log: log).note(settings()) { note(entry) }
        }
    }
}
