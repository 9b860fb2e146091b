import DynamoModel
import Platform

extension SQLiteTableStore {
    /// Does each of the operations by itself, or not; all that happen are durable when `completion` is called.
    ///
    /// They are checked first: where one cannot be done whatever is stored, none is. Returns at once; see `transact`.
    ///
    /// - Parameters:
    ///   - operations: operations on different items.
    ///   - principal: who does it, for the change stream.
    ///   - completion: receives what became of each, or why nothing happened.
    package func writeEach(
        _ operations: [WriteOperation], principal: Principal,
        completion: @escaping @Sendable (Result<[Result<WriteOutcome, TableError>], TableError>) -> Void
    ) {
        do throws(TableError) {
            let outcomes = Outcomes(count: operations.count, completion)
            var transactions: [PreparedTransaction] = []
            transactions.reserveCapacity(operations.count)
            for (position, operation) in operations.enumerated() {
                transactions.append(
                    try prepare([operation], principal) { result in outcomes.note(result, at: position) })
            }
            for transaction in transactions {
                do throws(TableError) {
                    try writer.enqueue(transaction)
                } catch {
                    transaction.completion(.failure(error))
                }
            }
        } catch {
            completion(.failure(error))
        }
    }
}

/// Collects what became of operations that were done one by one.
private final class Outcomes: Sendable {
    private struct State {
        var results: [Result<WriteOutcome, TableError>]
        var missing: Int
    }

    private let state: Locked<State>
    private let completion: @Sendable (Result<[Result<WriteOutcome, TableError>], TableError>) -> Void

    init(
        count: Int, _ completion: @escaping @Sendable (Result<[Result<WriteOutcome, TableError>], TableError>) -> Void
    ) {
        state = Locked(State(results: Array(repeating: .failure(.closed), count: count), missing: count))
        self.completion = completion
    }

    func note(_ result: Result<[WriteOutcome], TableError>, at position: Int) {
        let all: [Result<WriteOutcome, TableError>]? = state.withLock { state in
            state.results[position] = result.flatMap { outcomes in
                outcomes.first.map { .success($0) } ?? .failure(.closed)
            }
            state.missing -= 1
            return state.missing == 0 ? state.results : nil
        }
        if let all { completion(.success(all)) }
    }
}
