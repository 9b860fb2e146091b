import Access
import DynamoModel
import FlagCore

/// What has versions and is changed as a whole: a flag, a segment.
protocol VersionedRecord: Sendable {
    /// When it was created.
    var createdAt: Timestamp { get set }
    /// When it was last changed.
    var updatedAt: Timestamp { get }
    /// 1 when created, one more with every change.
    var version: Int64 { get }
    /// The record as an item of the table.
    var item: Item { get }
    /// What is wrong with its size as an item.
    var sizeIssues: [DefinitionIssue] { get }
}

/// What somebody wants such a record to be.
protocol RecordDraft: Sendable {
    associatedtype Record: VersionedRecord
    /// The version that it is a form of, if it says so.
    var version: Int64? { get }
    /// The creation time that it gives, if it does.
    var createdAt: Timestamp? { get }
    /// The record that is wanted.
    func record(in environment: Environment, createdAt: Timestamp, updatedAt: Timestamp, version: Int64) -> Record
    /// What it says of an environment or times that are not the record's.
    func issues(in environment: Environment, asFormOf current: Record?) -> [DefinitionIssue]
}

extension FlagRecord: VersionedRecord {}
extension SegmentRecord: VersionedRecord {}
extension FlagDraft: RecordDraft {}
extension SegmentDraft: RecordDraft {}

/// A change of a record that is under way.
struct RecordChange<Draft: RecordDraft>: Sendable {
    /// The record's key, and what it is.
    let key: ItemKey
    let thing: StoredThing
    /// Who changes it, where and when.
    let scope: WriteScope
    /// The version that the record must have, nil for whichever it has.
    let expected: Int64?
    /// The record that an item holds.
    let read: @Sendable (Item) -> ItemReading<Draft.Record>
    /// What is wanted instead of a record.
    let draft: @Sendable (ItemReading<Draft.Record>) throws(FlagStoreError) -> Draft

    /// The record as it would be, and what must hold of its item when that is written.
    func applied(to item: Item?) throws(FlagStoreError) -> (new: Draft.Record, condition: Condition) {
        guard let item else { throw .notFound(thing) }
        let reading = read(item)
        var old = reading.record
        if let expected, expected != old.version {
            throw .versionMismatch(of: thing, expected: expected, current: old.version)
        }
        let draft = try draft(reading)
        if let version = draft.version, version != old.version {
            throw .versionMismatch(of: thing, expected: version, current: old.version)
        }
        // One that cannot be read keeps nobody from giving another.
        if reading.issues.contains(where: { $0.pointer == "/\(Attribute.createdAt)" }) {
            old.createdAt = draft.createdAt ?? old.createdAt
        }
        // A clock that was set back must not make a change look older than what it changed.
        let new = draft.record(
            in: scope.environment, createdAt: old.createdAt, updatedAt: max(scope.instant, old.updatedAt),
            version: RecordVersion.next(after: old.version))
        let issues = draft.issues(in: scope.environment, asFormOf: old) + new.sizeIssues
        if !issues.isEmpty { throw .invalid(issues) }
        return (new, .isAtVersion(of: item))
    }
}

extension FlagRepository {
    /// How often a write without an expected version is tried again when others change the same record meanwhile.
    private static let attempts = 16

    /// Changes a record; its version goes up by one. Begins by reading it: on a worker queue.
    ///
    /// - Parameter check: refuses a record for what it refers to.
    func change<Draft>(
        _ change: RecordChange<Draft>, completion: @escaping Completion<Draft.Record>,
        check: (Draft.Record) throws(FlagStoreError) -> Void
    ) {
        do throws(FlagStoreError) {
            let (_, current) = try outcome(of: change, check: check)
            attempt(change, on: current, remaining: Self.attempts, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// The record as a change would leave it, and the item that it would change. Blocks.
    ///
    /// - Parameter check: refuses a record for what it refers to.
    func outcome<Draft>(
        of change: RecordChange<Draft>, check: (Draft.Record) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) -> (new: Draft.Record, current: Item?) {
        let current = try item(change.key)
        let new = try change.applied(to: current).new
        try check(new)
        return (new, current)
    }

    /// Tries a change on the record as it is; when somebody was faster, again on what they left, which the table's
    /// answer holds.
    private func attempt<Draft>(
        _ change: RecordChange<Draft>, on current: Item?, remaining: Int,
        completion: @escaping Completion<Draft.Record>
    ) {
        let new: Draft.Record
        let condition: Condition
        do throws(FlagStoreError) { (new, condition) = try change.applied(to: current) } catch {
            return completion(.failure(error))
        }
        let operations = [put(new.item, if: condition)]
        write(operations, in: change.scope) { result in
            switch result {
            case .success:
                completion(.success(new))
            case .failure(let error):
                guard let failed = error.failedCondition else { return completion(.failure(FlagStoreError(error))) }
                guard remaining > 1 else { return completion(.failure(.conflict(name: "\(change.thing)"))) }
                self.attempt(change, on: failed.existing, remaining: remaining - 1, completion: completion)
            }
        }
    }

    /// Creates a record at version 1.
    ///
    /// - Parameters:
    ///   - exists: what is answered when there is one of the name.
    ///   - check: refuses a record for what it refers to.
    func create<Draft: RecordDraft>(
        _ draft: Draft, in scope: WriteScope,
        else exists: FlagStoreError, completion: @escaping Completion<Draft.Record>,
        check: (Draft.Record) throws(FlagStoreError) -> Void
    ) {
        let record: Draft.Record
        do throws(FlagStoreError) {
            record = try self.record(of: draft, createdAt: draft.createdAt, in: scope, check: check)
        } catch {
            return completion(.failure(error))
        }
        let operations = [put(record.item, if: .attributeNotExists(DocumentPath(Attribute.partition)))]
        write(operations, in: scope) { result in
            completion(
                result.map { _ in record }.mapError { error in
                    error.failedCondition == nil ? FlagStoreError(error) : exists
                })
        }
    }

    /// The record that a draft makes, at version 1.
    ///
    /// - Parameters:
    ///   - createdAt: when it was created, in an export; nil for now.
    ///   - check: refuses a record for what it refers to.
    func record<Draft: RecordDraft>(
        of draft: Draft, createdAt: Timestamp?, in scope: WriteScope,
        check: (Draft.Record) throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) -> Draft.Record {
        let record = draft.record(
            in: scope.environment, createdAt: createdAt ?? scope.instant, updatedAt: scope.instant, version: 1)
        let issues = draft.issues(in: scope.environment, asFormOf: nil) + record.sizeIssues
        guard issues.isEmpty else { throw .invalid(issues) }
        try check(record)
        return record
    }
}
