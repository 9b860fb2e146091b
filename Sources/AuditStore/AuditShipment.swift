import Audit
import Dispatch
import DynamoModel
import FlagStore
import JSON
import Platform

/// Where records are copied to.
package protocol AuditSink: Sendable {
    /// The last record that is there, where that can be told; nil where it cannot. Blocks.
    func lastSequence() throws(AuditSinkFailure) -> Int64?

    /// Adds lines of JSON, in one write. Blocks until they are safe there.
    func append(_ lines: [UInt8]) throws(AuditSinkFailure)
}

/// Why records could not be copied.
package struct AuditSinkFailure: Error, Equatable {
    /// Why.
    package let reason: String

    /// A failure.
    package init(reason: String) { self.reason = reason }
}

/// Copies records, and behind each batch the head of the log, to a place elsewhere, in order, from where that ends: so
/// that whoever owns this machine cannot rewrite the log alone.
///
/// What cannot be copied now is tried again after 1 s, 2 s, 4 s and so on, up to a minute. Nobody waits for it.
final class AuditShipment: Sendable {
    private struct State {
        /// The last record that was copied; nil while that is not known.
        var position: Int64?
        var isScheduled = false
        var isStopped = false
        var failures = 0
        var failuresTotal: UInt64 = 0
    }

    private let log: AuditLog
    private let sink: any AuditSink
    private let report: @Sendable (AuditSinkFailure?) -> Void
    private let queue = DispatchQueue(label: "flag-server.audit-shipment")
    private let state = Locked(State())

    private static let together = 500
    private static let gatherMilliseconds = 500
    private static let retryMilliseconds = 1_000
    private static let retryMillisecondsMax = 60_000

    /// Copies nothing yet.
    ///
    /// - Parameter report: told when copying begins to fail, with the reason, and with nil when it succeeds again.
    init(_ log: AuditLog, to sink: any AuditSink, report: @escaping @Sendable (AuditSinkFailure?) -> Void) {
        self.log = log
        self.sink = sink
        self.report = report
    }

    /// How far it is: the last record that was copied, and how often it failed.
    var progress: (shipped: Int64, failures: UInt64) {
        state.withLock { ($0.position ?? 0, $0.failuresTotal) }
    }

    /// Copies what there is, in a moment. Never blocks.
    func wake() {
        if state.withLock({ $0.failures == 0 }) { schedule(in: Self.gatherMilliseconds) }
    }

    /// Copies what there is, if that goes at once, and nothing more. Blocks.
    func stop() {
        queue.sync {
            if state.withLock({ $0.failures == 0 }) { _ = try? ship() }
            state.withLock { $0.isStopped = true }
        }
    }

    private func schedule(in milliseconds: Int) {
        let mustSchedule = state.withLock { state in
            guard !state.isStopped else { return false }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard mustSchedule else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in self?.run() }
    }

    private func run() {
        state.withLock { $0.isScheduled = false }
        do throws(AuditSinkFailure) {
            try ship()
            let former = state.withLock { state in
                defer { state.failures = 0 }
                return state.failures
            }
            if former > 0 { report(nil) }
        } catch {
            let failures = state.withLock { state in
                state.failures += 1
                state.failuresTotal += 1
                return state.failures
            }
            if failures == 1 { report(error) }
            schedule(in: min(Self.retryMillisecondsMax, Self.retryMilliseconds << min(failures - 1, 10)))
        }
    }

    /// Copies everything that is there. On the queue.
    private func ship() throws(AuditSinkFailure) {
        guard log.state != nil else { return }
        var position = try start()
        while !state.withLock({ $0.isStopped }) {
            let page = try reading { () throws(TableError) in
                try AuditReader(store: log.store).page(
                    AuditFilter(), from: position + 1, .oldest, limit: Self.together)
            }
            guard let last = page.records.last else { break }
            var lines: [UInt8] = []
            for record in page.records { lines += record.json.serializedBytes() + [UInt8(ascii: "\n")] }
            let head = AuditHead(sequence: last.sequence, mark: last.mark, time: .systemClock)
            lines += head.json.serializedBytes() + [UInt8(ascii: "\n")]
            try sink.append(lines)
            position = last.sequence
            state.withLock { [position] in $0.position = position }
            try note(position)
        }
    }

    /// The last record that is there.
    private func start() throws(AuditSinkFailure) -> Int64 {
        if let position = state.withLock({ $0.position }) { return position }
        let stored = try reading { () throws(TableError) in
            try log.store.getItem(table: AuditTable.name, key: AuditTable.shipped)
        }
        let position = try sink.lastSequence() ?? stored?[Self.sequence]?.int64Value ?? 0
        state.withLock { $0.position = position }
        return position
    }

    private func note(_ position: Int64) throws(AuditSinkFailure) {
        let item = AuditTable.item(AuditTable.shipped, [Self.sequence: .number(position)])
        try reading { () throws(TableError) in
            _ = try log.store.transactAndWait([.put(table: AuditTable.name, item: item)], principal: .server)
        }
    }

    private static let sequence: AttributeName = "sequence"

    private func reading<Result>(_ body: () throws(TableError) -> Result) throws(AuditSinkFailure) -> Result {
        do throws(TableError) { return try body() } catch { throw AuditSinkFailure(reason: error.description) }
    }
}
