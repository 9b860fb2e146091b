import Access
import DynamoModel
import FlagCore
import Platform

/// The revision of an environment, `REVISION#{env}`: a number that every write raises.
///
/// The server derives it. When the item is not one that can be raised, since somebody wrote or deleted it by hand, it
/// is made anew, greater than whatever was told before: it must keep nobody from writing.
enum EnvironmentRevision {
    /// The revision that an item holds; nil when it holds none.
    static func of(_ item: Item?) -> Int64? {
        guard let revision = item?[Attribute.revision]?.int64Value, (0...FlagLimits.version).contains(revision) else {
            return nil
        }
        return revision
    }

    /// The item of a revision.
    static func item(_ revision: Int64, of environment: Environment) -> Item {
        ItemKey.revision(environment).item.merging([Attribute.revision: .number(revision)]) { $1 }
    }

    /// Whether a change left what a write of this program does not leave: no revision, a lower one, or more than that.
    static func isBroken(by change: TableChange) -> Bool {
        guard let item = change.newItem, let revision = of(item), item.count == 3 else { return true }
        return of(change.oldItem).map { revision < $0 } ?? false
    }

    private static let path = DocumentPath(Attribute.revision)

    /// The stored revision can be raised by one; none counts as 0.
    static let canBeRaised = Condition.or([
        .attributeNotExists(path),
        .between(.path(path), lower: .value(0), upper: .value(.number(FlagLimits.version - 1))),
    ])

    /// The stored revision cannot be raised, or is lower than `revision`.
    static func isBelow(_ revision: Int64) -> Condition {
        .or([.not(canBeRaised), .attributeNotExists(path), .compare(path, .less, .number(revision))])
    }
}

/// The highest revision that this process has seen of each environment.
final class KnownRevisions: Sendable {
    private let highest = Locked<[Environment: Int64]>([:])

    /// Notes what an item holds.
    func note(_ item: Item?, of environment: Environment) {
        guard let revision = EnvironmentRevision.of(item) else { return }
        highest.withLock { $0[environment] = max($0[environment] ?? 0, revision) }
    }

    /// A revision to go on with, greater than any that was seen or told. The milliseconds since 1970 are more than any
    /// number of changes that this process cannot know of.
    func anew(for environment: Environment) -> Int64 {
        highest.withLock { highest in
            let known = highest[environment] ?? 0
            let time = SystemClock.wallMilliseconds
            // After the last number there can be, which only somebody's hand reaches, there is no greater one.
            let revision = known < FlagLimits.version - 1 ? max(known + 1, time) : time
            highest[environment] = max(known, revision)
            return revision
        }
    }
}

extension FlagRepository {
    /// How often a write is tried again with a revision that is made anew: somebody may break it again meanwhile.
    private static let revisionAttempts = 8

    /// Does the operations and raises the environment's revision, all or nothing, with what accompanies them.
    ///
    /// - Parameters:
    ///   - operations: at most `FlagLimits.operationsPerTransaction`.
    ///   - urgency: whether it overtakes what waits.
    func write(
        _ operations: [WriteOperation], in scope: WriteScope,
        urgency: WriteUrgency = .usual,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        let raise = WriteOperation.update(
            table: table, key: ItemKey.revision(scope.environment).tableKey,
            actions: [.add(DocumentPath(Attribute.revision), .number(1))],
            condition: EnvironmentRevision.canBeRaised)
        write(operations, raise, in: scope, urgency, FlagRepository.revisionAttempts, completion)
    }

    private func write(
        _ operations: [WriteOperation], _ raise: WriteOperation, in scope: WriteScope,
        _ urgency: WriteUrgency, _ remaining: Int,
        _ completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        let own = operations + companions
        store.transact(own + [raise], principal: scope.principal, urgency: urgency) { result in
            if case .success(let outcomes) = result {
                let revision = outcomes.last?.new
                self.revisions.note(revision, of: scope.environment)
                guard EnvironmentRevision.of(revision) == nil else { return completion(result) }
                // A fraction, which a condition does not see.
                return store.transact([remaking(scope.environment)], principal: scope.principal, urgency: urgency) {
                    _ in
                    completion(result)
                }
            }
            guard case .failure(let error) = result else { return completion(result) }
            // What the change found matters no more: whoever asked for both has to look again.
            guard !error.concerns(operations.count..<own.count) else { return completion(.failure(.overtaken)) }
            guard let fault = error.fault(ofOperation: own.count) else { return completion(result) }
            if let others = fault.others { return completion(.failure(others)) }
            guard remaining > 1 else { return completion(result) }
            self.revisions.note(fault.existing, of: scope.environment)
            write(operations, remaking(scope.environment), in: scope, urgency, remaining - 1, completion)
        }
    }

    /// Puts an environment's revision right, by one that is made anew. Nobody else's is undone.
    func remaking(_ environment: Environment) -> WriteOperation {
        let revision = revisions.anew(for: environment)
        return put(EnvironmentRevision.item(revision, of: environment), if: EnvironmentRevision.isBelow(revision))
    }
}

extension TableError {
    /// What was to be done together with a change cannot be done any more.
    static let overtaken = TableError.transactionCanceled([.validation("what goes with the change has changed")])

    /// Whether one of these operations of a transaction kept it from happening.
    fileprivate func concerns(_ operations: Range<Int>) -> Bool {
        guard case .transactionCanceled(let reasons) = self else { return false }
        return operations.contains { reasons.indices.contains($0) && reasons[$0] != nil }
    }

    /// What one operation of a transaction, the last, has to do with its failure.
    ///
    /// - Parameter index: the operation's place.
    /// - Returns: nil when nothing; else the item that the operation found if its condition did not hold, and the error
    ///   as it would have been without it, nil when there would have been none.
    fileprivate func fault(ofOperation index: Int) -> (existing: Item?, others: TableError?)? {
        switch self {
        case .conditionFailed(index, let existing): return (existing, nil)
        case .validation where index == 0: return (nil, nil)
        case .transactionCanceled(let reasons) where reasons.indices.contains(index):
            guard let reason = reasons[index] else { return nil }
            var others = reasons
            others[index] = nil
            var existing: Item?
            if case .conditionFailed(let item) = reason { existing = item }
            return (existing, others.contains { $0 != nil } ? .transactionCanceled(others) : nil)
        default: return nil
        }
    }

    /// Whether the same may succeed another time: the store failed, not what was asked of it.
    var mayPass: Bool {
        switch self {
        case .storage, .tooManyWaiting, .closed, .tableNotFound, .indexNotFound: true
        case .validation, .tableExists, .conditionFailed, .transactionCanceled, .backup: false
        }
    }
}
