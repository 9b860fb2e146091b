import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import Access
@testable import FlagStore

/// A table of flags in memory, with what tests do to it in one line each.
struct Fixture {
    let store: SQLiteTableStore
    let repository: FlagRepository
    static let table = "feature-flags-local"
    static let start = Timestamp(rfc3339: "2026-01-02T03:04:05.678Z")!

    init(_ location: SQLiteTableStore.Location = .memory) throws {
        try self.init(store: SQLiteTableStore.open(location))
    }

    init(store: SQLiteTableStore) throws {
        self.store = store
        repository = FlagRepository(store: store, table: Fixture.table)
        try repository.createTableIfMissing()
    }

    /// Waits for what a write answers.
    func wait<Value: Sendable>(
        _ write: (@escaping FlagRepository.Completion<Value>) -> Void
    ) throws(FlagStoreError) -> Value {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<Value, FlagStoreError>?>(nil)
        write { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return try answer.withLock { $0 }!.get()
    }

    @discardableResult
    func create(
        _ json: JSONValue, in environment: Environment = .development, at now: Timestamp = start
    ) throws -> FlagRecord {
        let draft = try FlagDraft(json: json)
        return try wait { repository.create(draft, in: .tests(environment, at: now), completion: $0) }
    }

    @discardableResult
    func createSimple(
        _ key: String, enabled: Bool = true, in environment: Environment = .development, owner: String = "team",
        at now: Timestamp = start
    ) throws -> FlagRecord {
        try create(Fixture.simple(key, enabled: enabled, owner: owner), in: environment, at: now)
    }

    @discardableResult
    func replace(
        _ json: JSONValue, key: String? = nil, expecting: Int64? = nil, in environment: Environment = .development,
        at now: Timestamp = start
    ) throws -> FlagRecord {
        let draft = try FlagDraft(json: json, key: key)
        return try wait {
            repository.replace(
                with: draft, in: .tests(environment, at: now), expecting: expecting, completion: $0)
        }
    }

    @discardableResult
    func patch(
        _ key: String, _ json: JSONValue, expecting: Int64? = nil, in environment: Environment = .development
    ) throws -> FlagRecord {
        let patch = try FlagPatch(json: json)
        return try wait {
            repository.patch(
                key, with: patch, in: .tests(environment, at: Fixture.start), expecting: expecting,
                completion: $0)
        }
    }

    func delete(_ key: String, expecting: Int64? = nil, in environment: Environment = .development) throws {
        try wait { repository.delete(key, in: .tests(environment), expecting: expecting, completion: $0) }
    }

    @discardableResult
    func putOverride(
        _ tenant: String, _ flagKey: String, _ json: JSONValue = ["enabled": true, "updatedBy": "me"],
        in environment: Environment = .development
    ) throws -> TenantOverrideRecord {
        let draft = try TenantOverrideDraft(json: json, tenant: tenant, flagKey: flagKey)
        return try wait {
            repository.putOverride(draft, in: .tests(environment, at: Fixture.start), completion: $0)
        }
    }

    func deleteOverride(_ tenant: String, _ flagKey: String, in environment: Environment = .development) throws {
        try wait {
            repository.deleteOverride(
                ofTenant: tenant, flagKey: flagKey, in: .tests(environment), completion: $0)
        }
    }

    @discardableResult
    func kill(
        _ flagKey: String?, forced: Bool = false, reason: String = "broken",
        in environment: Environment = .development
    ) throws -> KillSwitchRecord {
        let draft = KillSwitchDraft(flagKey: flagKey, isForced: forced, reason: reason, activatedBy: "me")
        return try wait {
            repository.setKillSwitch(draft, in: .tests(environment, at: Fixture.start), completion: $0)
        }
    }

    func revive(_ flagKey: String?, in environment: Environment = .development) throws {
        let end = KillSwitchEnd(flagKey: flagKey, deactivatedBy: "you", reason: "mended")
        try wait {
            repository.endKillSwitch(end, in: .tests(environment, at: Fixture.start), completion: $0)
        }
    }

    /// The body of a simple flag.
    static func simple(_ key: String, enabled: Bool = true, owner: String = "team") -> JSONValue {
        [
            "flagKey": .string(key), "description": "Says hello", "defaultEnabled": .bool(enabled),
            "owner": .string(owner),
        ]
    }
}

/// The error that `body` throws; nil when it throws none.
func failure(_ body: () throws -> Void) -> FlagStoreError? {
    do { try body() } catch let error as FlagStoreError { return error } catch { Issue.record(error) }
    return nil
}

extension FlagStoreError {
    /// The pointers of what is invalid.
    var pointers: [String] {
        if case .invalid(let issues) = self { issues.map(\.pointer) } else { [] }
    }
}

extension Timestamp {
    static func + (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: time.millisecondsSinceEpoch + milliseconds)
    }
}

extension WriteScope {
    /// The leave of somebody who may do everything.
    static func tests(
        _ environment: Environment, by principal: Principal = .anonymous, at now: Timestamp = Fixture.start,
        _ circumstances: ChangeCircumstances = ChangeCircumstances()
    ) -> WriteScope {
        let scope = Caller(principal, everywhere: .all).writeScope([], in: environment, at: now, circumstances)
        guard let scope else { preconditionFailure("nothing is asked of the caller") }
        return scope
    }
}

extension FlagRepository {
    /// What a test sees of an environment.
    func stored(in environment: Environment) -> FlagReader { reader(for: .server("test", in: environment)) }
}

extension FlagRepository {
    /// The latest entries of a flag's history, its overrides' among them.
    func history(
        of key: String, in environment: Environment, limit: Int = FlagLimits.pageSize
    ) throws(FlagStoreError) -> [FlagHistoryEntry] {
        try history(of: .flag(key), in: environment, limit: limit).records
    }

    /// The same of a segment.
    func history(ofSegment name: String, in environment: Environment) throws(FlagStoreError) -> [FlagHistoryEntry] {
        try history(of: .segment(name), in: environment, limit: FlagLimits.pageSize).records
    }
}

extension DerivedAttributes {
    /// What the item means, without what follows from it.
    static func content(of item: Item) -> Item { item.filter { !names.contains($0.key) } }
}
