import Dispatch
import Platform

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

extension SQLiteTableStore {
    /// Commits transactions in one batch, and waits for what each is told.
    ///
    /// - Parameters:
    ///   - transactions: the operations of each.
    ///   - prepare: called when the writer can begin with nothing else.
    /// - Returns: what each was told; nil for one that was told nothing.
    func commitTogether(
        _ transactions: [[WriteOperation]], prepare: () -> Void = {}
    ) -> [Result<[WriteOutcome], TableError>?] {
        let isHeld = DispatchSemaphore(value: 0)
        let mayGoOn = DispatchSemaphore(value: 0)
        // Completions run on the writer's queue.
        transact(
            [.check(table: TestTable.name, key: TestTable.key("none", "none"), condition: .attributeNotExists("PK"))],
            principal: .anonymous
        ) { _ in
            isHeld.signal()
            mayGoOn.wait()
        }
        isHeld.wait()
        let results = Locked<[Int: Result<[WriteOutcome], TableError>]>([:])
        let group = DispatchGroup()
        for (number, operations) in transactions.enumerated() {
            group.enter()
            transact(operations, principal: .anonymous) { result in
                results.withLock { $0[number] = result }
                group.leave()
            }
        }
        prepare()
        mayGoOn.signal()
        _ = group.wait(timeout: .now() + 10)
        return results.withLock { results in transactions.indices.map { results[$0] } }
    }
}
