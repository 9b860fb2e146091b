import Audit
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import Platform

extension AuditTrail {
    /// Which way a list goes.
    package enum Order: String, Sendable, CaseIterable { case newest, oldest }

    /// A page of records. Blocks shortly: what it looks at is bounded, so that it may have fewer records than it could.
    ///
    /// - Parameters:
    ///   - filter: what is looked for.
    ///   - start: where the page before said that this one begins; nil for the first page.
    ///   - limit: the most records.
    package func page(
        _ filter: AuditFilter, from start: Int64? = nil, _ order: Order = .newest, limit: Int
    ) throws(TableError) -> AuditPage {
        try AuditReader(store: log.store).page(filter, from: start, order == .newest ? .newest : .oldest, limit: limit)
    }

    /// The record of a sequence; nil when there is none, or none any more.
    package func record(_ sequence: Int64) throws(TableError) -> AuditRecord? {
        try AuditReader(store: log.store).record(sequence)
    }

    /// Checks the whole log. O(log).
    ///
    /// - Parameters:
    ///   - heads: ends of the log that were kept elsewhere.
    ///   - expect: told how many records there are.
    ///   - note: told now and then how many more of them were checked; answers whether to give up.
    package func verify(
        against heads: [AuditHead], expect: (Int64) -> Void = { _ in }, note: (Int64) -> Bool = { _ in false }
    ) throws(TableError) -> AuditReport {
        var isWhole = true
        var verification = AuditVerification(store: log.store, seal: log.seal, heads: heads)
        let report = try verification.run(expect: expect) { count in
            let isGivenUp = note(count)
            if isGivenUp { isWhole = false }
            return isGivenUp
        }
        // Heads from elsewhere may be of another log; what is wrong without them is wrong here.
        if isWhole, heads.isEmpty || report.problems.isEmpty { verified.withLock { $0 = report.problems } }
        return report
    }

    /// Has the log checked once a day from now on, beside everything else.
    ///
    /// - Parameter report: told what is wrong, each time that something is.
    package func verifyDaily(report: @escaping @Sendable ([String]) -> Void) {
        delay.call(Self.verificationMilliseconds, checks) { [weak self] in
            guard let self, !isStopped else { return }
            // What cannot be read now is read another time.
            if let found = try? verify(against: [], note: { _ in self.isStopped }), !found.problems.isEmpty {
                report(found.problems)
            }
            verifyDaily(report: report)
        }
    }

    private static let verificationMilliseconds = 24 * 3_600_000

    /// Removes records of before a time. Blocks while it is done.
    ///
    /// - Returns: how many.
    @discardableResult
    package func expire(before bound: Timestamp, at now: Timestamp) throws(TableError) -> Int64 {
        let result: Result<Int64, TableError> = log.queue.sync {
            do throws(TableError) {
                try log.open()
                return .success(try AuditExpiry(log: log).run(before: bound, at: now))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Removes records from now on, once an hour, that are older than they are kept.
    ///
    /// - Parameters:
    ///   - milliseconds: for how long they are kept.
    ///   - time: the present time as far as something may be forgotten by it, in milliseconds since 1970; nil while
    ///     nothing may.
    package func keepRecords(for milliseconds: Int64, by time: @escaping @Sendable () -> Int64?) {
        delay.call(Self.expiryMilliseconds, log.queue) { [weak self] in
            guard let self else { return }
            if let now = time() {
                let bound = Timestamp(millisecondsSinceEpoch: now - milliseconds)
                // What fails is done another time.
                _ = try? AuditExpiry(log: log).run(before: bound, at: .systemClock, isCancelled: { self.isStopped })
            }
            keepRecords(for: milliseconds, by: time)
        }
    }

    private static let expiryMilliseconds = 3_600_000
}
