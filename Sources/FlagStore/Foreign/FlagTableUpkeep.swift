import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// Does what follows from the changes of the flag table; see `FlagTableFollower`.
final class FlagTableUpkeep: Sendable {
    let repository: FlagRepository
    let storeID: String
    /// How much histories keep.
    let limits: HistoryLimits
    let report: @Sendable (FollowerEvent) -> Void

    /// Where changes are looked at.
    let queue: DispatchQueue
    let recent: RecentChanges
    let state = Locked(UpkeepState())
    /// What is counted, and not told yet. Apart from the state, for which the table's writer waits.
    let tallies = Locked(HistoryTallies())

    var store: any TableStore { repository.store }
    var historyTable: String { FlagHistoryTable.name(beside: repository.table) }

    /// Who its own writes are by.
    static let principal = Principal(.server, name)
    static let name = "derived-attributes"

    /// The leave to put an environment right.
    static func scope(_ environment: Environment) -> WriteScope { .server(name, in: environment, at: .systemClock) }

    /// Changes that are looked at together.
    static let batchMaximum = 2_000
    /// How many changes that call for nothing may come before the position is stored all the same: so many the change
    /// stream keeps for nothing.
    static let positionGap: Int64 = 1_000

    init(
        repository: FlagRepository, storeID: String, limits: HistoryLimits, queue: DispatchQueue,
        report: @escaping @Sendable (FollowerEvent) -> Void
    ) {
        self.repository = repository
        self.storeID = storeID
        self.limits = limits
        self.queue = queue
        self.report = report
        recent = RecentChanges(of: repository.store, table: repository.table)
    }

    /// What was done so far.
    var statistics: FollowerStatistics {
        state.withLock { state in
            var statistics = state.statistics
            for (place, kind) in state.held where kind == .lastValid {
                switch place {
                case .flag: statistics.held += 1
                case .override: statistics.heldOverrides += 1
                case .segment: statistics.heldSegments += 1
                }
            }
            return statistics
        }
    }
}

extension FlagTableUpkeep: ChangeConsumer {
    var position: FollowerPosition { state.withLock { $0.position } }

    func concern(of changes: [TableChange]) -> Int { recent.add(changes) }

    func batch(after position: Int64) throws(FlagStoreError) -> ChangeBatch<[TableChange]>? {
        try reading { () throws(TableError) in try recent.batch(after: position, limit: Self.batchMaximum) }
    }

    func take(_ batch: ChangeBatch<[TableChange]>, storing: Bool) throws(FlagStoreError) {
        do throws(FlagStoreError) { try process(batch, storing: storing) } catch {
            // What is done again may be counted twice.
            state.withLock { $0.historySizes = [:] }
            throw error
        }
    }

    func note(_ failure: FlagStoreError?) {
        guard state.withLock({ $0.turn(failing: failure != nil) }) else { return }
        report(failure.map { .failed($0) } ?? .recovered)
    }

    static func failure(_ error: TableError) -> FlagStoreError { FlagStoreError(error) }
}

/// What is known of the flag table's upkeep. Behind its lock.
struct UpkeepState: Sendable {
    /// How far the changes have been looked at, and as what that is stored.
    var position = FollowerPosition.unknown
    /// By how much the places of entries differ from those of their changes.
    var shift: Int64 = 0
    /// When it is looked next whether what is being counted can be told; nil while nothing is.
    var look: TallyLook?
    /// How much histories have, as far as is known.
    var historySizes: [ExactText: HistorySize] = [:]
    /// What is kept of what is not valid.
    var held: [HeldRecordKey: HeldForm.Kind] = [:]
    var isFailing = false
    var statistics = FollowerStatistics()

    /// How many things may be kept before what never was valid is no longer noted: lists would not name more.
    static let notesMaximum = 100_000
    /// Of how many histories it is remembered how much they have.
    private static let historySizesMaximum = 20_000

    /// Notes how much a history has; of so many histories as fit into some MiB.
    mutating func note(historySize size: HistorySize, of partition: ExactText) {
        if historySizes.count >= Self.historySizesMaximum { historySizes = [:] }
        historySizes[partition] = size
    }

    /// Notes whether the store answers.
    ///
    /// - Returns: whether that is news.
    mutating func turn(failing: Bool) -> Bool {
        defer { isFailing = failing }
        return isFailing != failing
    }
}
