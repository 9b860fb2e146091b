import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagStore

extension GatedStore {
    /// A store in which something happens whenever overrides have been read.
    fileprivate convenience init(_ store: SQLiteTableStore, _ happen: @escaping @Sendable (_ query: Int) -> Void) {
        let queries = Locked(0)
        self.init(
            store,
            afterQuery: { query in
                guard query.index == FlagTable.expiresIndex else { return }
                happen(
                    queries.withLock { queries in
                        queries += 1
                        return queries
                    })
            })
    }
}

@Suite("Changes of what others change meanwhile")
struct ChangedMeanwhileTests {
    @Test("A flag that is deleted while it is changed is not found, and does not come back")
    func deleted() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let gated = GatedStore(fixture.store)
        let repository = FlagRepository(store: gated, table: Fixture.table)
        let patch = try FlagPatch(json: ["owner": "somebody else"])
        let answer = Locked<Result<FlagRecord, FlagStoreError>?>(nil)
        let isAnswered = DispatchSemaphore(value: 0)
        let gate = gated.close()
        DispatchQueue(label: "patch").async {
            repository.patch("a", with: patch, in: .tests(.development)) { result in
                answer.withLock { $0 = result }
                isAnswered.signal()
            }
        }
        // It has been read by now.
        gated.awaitArrival()
        try fixture.delete("a")
        gated.open(gate)
        isAnswered.wait()
        guard case .failure(.notFound) = answer.withLock({ $0 }) else {
            Issue.record("\(String(describing: answer.withLock { $0 }))")
            return
        }
        #expect(throws: FlagStoreError.self) { try fixture.repository.flag("a", in: .development) }
    }

    /// Deletes the flag `a`, which has an override, while others do something after overrides have been read.
    private func delete(
        _ fixture: Fixture, _ happen: @escaping @Sendable (_ query: Int) throws -> Void
    ) throws -> [String] {
        try fixture.createSimple("a")
        try fixture.putOverride("early", "a")
        let store = GatedStore(fixture.store) { query in
            do { try happen(query) } catch { Issue.record(error) }
        }
        let repository = FlagRepository(store: store, table: Fixture.table)
        try fixture.wait { repository.delete("a", in: .tests(.development), completion: $0) }
        return try fixture.repository.overrides(ofFlag: "a", in: .development, limit: 10).records.map(\.tenant)
    }

    @Test("An override that comes while its flag is deleted goes with it")
    func lateOverride() throws {
        let fixture = try Fixture()
        let left = try delete(fixture) { query in
            if query == 1 { try fixture.putOverride("late", "a") }
        }
        #expect(left == [])
    }

    @Test("An override that comes while its flag is deleted stays when the flag is there again")
    func newFlag() throws {
        let fixture = try Fixture()
        let left = try delete(fixture) { query in
            if query == 1 { try fixture.putOverride("late", "a") }
            if query == 2 { try fixture.createSimple("a") }
        }
        #expect(left == ["late"])
    }

    @Test(
        "A flag that somebody changed meanwhile is not deleted as what it was, nor any of its overrides",
        arguments: [1, 150])
    func changedMeanwhile(overrides: Int) throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        for number in 0..<overrides { try fixture.putOverride("tenant-\(number)", "a") }
        let store = GatedStore(fixture.store) { query in
            guard query == 1 else { return }
            do { try fixture.patch("a", ["owner": "somebody else"]) } catch { Issue.record(error) }
        }
        let repository = FlagRepository(store: store, table: Fixture.table)
        let refusal = failure {
            try fixture.wait { repository.delete("a", in: .tests(.development), expecting: 1, completion: $0) }
        }
        guard case .versionMismatch = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(try fixture.repository.flag("a", in: .development).owner == "somebody else")
        let left = try fixture.repository.overrides(ofFlag: "a", in: .development, limit: 1000).records
        #expect(left.count == overrides)
    }

    @Test("A change is not older than what it changed, whatever the clock says")
    func clockSetBack() throws {
        let fixture = try Fixture()
        let later = Fixture.start + 10_000
        try fixture.createSimple("a", at: later)
        #expect(try fixture.patch("a", ["owner": "somebody else"]).updatedAt == later)
        #expect(try fixture.replace(Fixture.simple("a"), at: later + 1).updatedAt == later + 1)
    }
}
