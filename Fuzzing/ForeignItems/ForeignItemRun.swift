import Access
import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import FlagFiles
import FlagStore
import JSON
import Platform
import TableEngine

/// A flag store on items that somebody wrote by hand: whatever they are, it starts, answers, takes changes, ends, and
/// starts again on what it left.
package struct ForeignItemRun {
    private let store: SQLiteTableStore
    private let repository: FlagRepository
    private static let table = "feature-flags-local"
    private static let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    private static let keys = ["f", "g", "é", "nothing"]

    /// What the store broke.
    package struct BrokenPromise: Error, CustomStringConvertible {
        package let description: String
    }

    /// Writes some of the items before anybody follows, as the commands work, and the others while the store serves.
    ///
    /// - Throws: what was promised and is not so.
    package static func run(_ bytes: [UInt8]) throws {
        let writes = ForeignWrites(bytes).writes
        let run = try ForeignItemRun()
        defer { run.store.close() }
        let middle = writes.count / 2
        run.write(writes[..<middle])
        try run.change()
        run.write(writes[..<middle])
        try run.serve(writing: writes[middle...], storeID: "a")
        // On what is there now, as after a restart and as after a restore: nothing is left to be done.
        for storeID in ["a", "b"] {
            let statistics = try run.serve(writing: [], storeID: storeID)
            let isDone = statistics.corrected == 0
            guard isDone else { throw BrokenPromise(description: "items are corrected again and again") }
        }
    }

    private init() throws {
        store = try SQLiteTableStore.open(.memory)
        repository = FlagRepository(store: store, table: Self.table)
        try repository.createTableIfMissing()
    }

    /// What the table does not take is not written.
    private func write(_ writes: ArraySlice<ForeignWrites.Write>) {
        for write in writes {
            let operation: WriteOperation =
                switch write {
                case .put(let item): .put(table: Self.table, item: item)
                case .delete(let key): .delete(table: Self.table, key: key)
                }
            _ = try? store.transactAndWait([operation], principal: .anonymous)
        }
    }

    @discardableResult
    private func serve(
        writing writes: ArraySlice<ForeignWrites.Write>, storeID: String
    ) throws -> FollowerStatistics {
        let failures = Locked<[String]>([])
        let follower = FlagTableFollower(repository: repository, storeID: storeID) { event in
            if case .failed(let error) = event { failures.withLock { $0.append("\(error)") } }
        }
        let loop = try Loop(store: store, table: Self.table)
        follower.start()
        write(writes)
        follower.waitUntilIdle()
        let statistics = follower.statistics
        try read()
        for key in Self.keys { loop.evaluate(key, now: Self.now) }
        if !writes.isEmpty { try change() }
        follower.waitUntilIdle()
        follower.waitUntilIdle()
        follower.stop()
        if let failure = failures.withLock({ $0.first }) {
            throw BrokenPromise(description: "the follower is held up: \(failure)")
        }
        return statistics
    }

    /// Reads everything in every way.
    private func read() throws {
        let past = Timestamp(millisecondsSinceEpoch: 0)
        for environment in Environment.allCases {
            let stored = repository.reader(for: .server("fuzzing", in: environment))
            for query in [
                FlagQuery(), FlagQuery(owner: "ops"), FlagQuery(expiresBefore: Self.now), FlagQuery(tag: "a", limit: 1),
            ] {
                for flag in try stored.flags(query).records {
                    _ = flag.json(at: Self.now).serialized()
                    for time in [flag.createdAt, flag.updatedAt, flag.expiresAt ?? past]
                    where Timestamp(rfc3339: time.rfc3339) != time {
                        throw BrokenPromise(description: "\(flag.key) has a time that cannot be said: \(time)")
                    }
                }
                _ = try stored.invalidFlags(query)
            }
            for key in Self.keys {
                _ = try stored.overrides(ofFlag: key).records.map { $0.json.serialized() }
                _ = try stored.overrides(ofTenant: key).records.map { $0.json.serialized() }
                _ = try stored.invalidOverrides(ofTenant: key)
                _ = try stored.history(of: .flag(key)).records.map { $0.json.serialized() }
                _ = try stored.history(of: .segment(key)).records.map { $0.json.serialized() }
                _ = try stored.dependents(of: key)
                _ = try stored.uses(ofSegment: key)
                _ = try stored.keys(ofSegment: key)
            }
            _ = try stored.segments().records.map { $0.json(keyCount: 0).serialized() }
            _ = try stored.invalidSegments()
            _ = try stored.killSwitches().map { $0.json.serialized() }
            _ = try stored.killSwitch(of: "f")
            _ = try stored.staleFlagCount(at: Self.now)
            for format in ImportDocument.Format.allCases {
                _ = try Export(format, of: stored).bytes()
            }
        }
    }

    /// Changes what is there. Kill switches above all must be taken.
    private func change() throws {
        for environment in Environment.allCases {
            let scope = WriteScope.server("fuzzing", in: environment, at: Self.now)
            let stored = repository.reader(for: scope.reading)
            func apply(_ promise: String, _ operation: FlagOperation) throws {
                try wait(promise) { repository.apply(operation, in: scope, listed: { _, _ in .empty }, completion: $0) }
            }
            let before = try stored.revision()
            try apply(
                "a kill switch is refused",
                FlagOperation(
                    .setKillSwitch, body: ["flagKey": "f", "force": true, "reason": "r", "activatedBy": "me"]))
            guard try stored.revision() > before || before == FlagLimits.version else {
                throw BrokenPromise(description: "the revision is not raised")
            }
            try apply(
                "a kill switch cannot be ended",
                FlagOperation(.endKillSwitch, body: ["flagKey": "f", "deactivatedBy": "me"]))
            for key in Self.keys {
                _ = try? stored.flag(key)
                try apply("a change is refused", FlagOperation(.patchFlag, of: key, body: ["owner": "p"]))
                let flag: JSONValue = ["description": "d", "owner": "o", "defaultEnabled": true]
                try apply("a replacement is refused", FlagOperation(.replaceFlag, of: key, body: flag))
                try apply(
                    "a change of a segment is refused", FlagOperation(.patchSegment, of: key, body: ["owner": "p"]))
            }
            try apply("a flag cannot be deleted", FlagOperation(.deleteFlag, of: "g"))
        }
    }

    /// Waits for a write. That something is missing, invalid or required is an answer; that it cannot be done is none.
    @discardableResult
    private func wait<Value: Sendable>(
        _ promise: String, _ write: (@escaping FlagRepository.Completion<Value>) -> Void
    ) throws -> Value? {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<Value, FlagStoreError>?>(nil)
        write { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        switch answer.withLock({ $0 }) {
        case .success(let value)?: return value
        case .failure(.unavailable(let reason, _))?: throw BrokenPromise(description: "\(promise): \(reason)")
        case .failure(.conflict)?: throw BrokenPromise(description: "\(promise): others keep changing it")
        default: return nil
        }
    }
}

/// One event loop's cache, on the caller's thread.
private struct Loop {
    private let feed: CacheFeed
    private let cache: LoopCache
    private let mail = Locked<[CacheUpdate]>([])
    private let arrivals = DispatchSemaphore(value: 0)
    private let wantsTurn = Locked(false)

    init(store: SQLiteTableStore, table: String) throws {
        feed = CacheFeed(
            store: store, table: table, loops: 1,
            deliver: { [mail, arrivals] update, _ in
                mail.withLock { $0.append(update) }
                arrivals.signal()
            })
        cache = LoopCache(
            source: feed, loop: 0, limits: CacheLimits(capacity: 100, timeToLiveMilliseconds: 60_000), fractional: .v3,
            clock: { 0 },
            wantsTurn: { [wantsTurn, arrivals] in
                wantsTurn.withLock { $0 = true }
                arrivals.signal()
            })
        try feed.start(warm: [.development])
    }

    /// Evaluates and explains a flag in every environment, without and with a tenant, after as many loads as it takes.
    func evaluate(_ key: String, now: Timestamp) {
        for environment in Environment.allCases {
            let name = Array(key.utf8)
            load([
                .flag(environment, name), .overrides(environment, tenant: Array("acme".utf8)), .segments(environment),
            ])
            name.withUnsafeBytes { name in
                guard case .found(let flag, _) = cache.flag(environment, key: name, now: 0) else { return }
                var override: TenantOverride?
                Array("acme".utf8).withUnsafeBytes { tenant in
                    if case .found(let overrides, _) = cache.overrides(environment, tenant: tenant, now: 0) {
                        override = overrides.override(for: name)
                    }
                }
                let context = EvaluationContext(attributes: nil)
                let killSwitch = cache.killSwitch(environment, key: name)
                _ = flag.evaluate(context, killSwitch: killSwitch, override: override, now: now)
                var run = EvaluationRun(now: now)
                _ = flag.explain(context, killSwitch: killSwitch, override: override, in: &run)
                _ = flag.changedMetadataJSON(at: now, killSwitch: killSwitch)
            }
        }
        guard case .found(let ruleSet, _) = cache.ruleSet(.development, now: 0) else { return }
        _ = ruleSet.staleCount(at: now)
    }

    private func load(_ keys: [CacheKey]) {
        let isDone = Locked(false)
        cache.load(keys, now: 0) { isDone.withLock { $0 = true } }
        while !isDone.withLock({ $0 }) {
            arrivals.wait()
            let updates = mail.withLock { mail in
                defer { mail = [] }
                return mail
            }
            for update in updates { cache.apply(update, now: 0) }
            let hasTurn = wantsTurn.withLock { wantsTurn in
                defer { wantsTurn = false }
                return wantsTurn
            }
            if hasTurn { cache.takeTurn(now: 0) }
        }
    }
}
