import Access
import DynamoModel
import FlagCore
import FlagStore

/// The schedules in their table. Every write is conditional: of two who change the same one, one learns of the other.
///
/// The functions block: not for a loop.
package struct ScheduleStore: Sendable {
    /// How many may wait, of all environments together; with some more where many are made at the same moment.
    package static let waitingMaximum = 10_000
    /// Bytes that may be kept of one: what an item may have, and some room for how it ends.
    package static let bytesMaximum = 380_000
    /// How long those that have ended are kept, in milliseconds.
    static let keptMilliseconds: Int64 = 90 * 86_400_000
    /// How many of those that have ended are kept of an environment.
    static let keptMaximum = 10_000
    /// How many are removed at once; their removal is a change that has it looked whether there are more.
    static let sweptAtOnce = 50

    let store: any TableStore

    /// Schedules in a store. Nothing is read or made yet.
    package init(store: any TableStore) { self.store = store }

    /// Stores a schedule that is new. O(schedules that wait) for counting them.
    package func add(_ schedule: Schedule, by principal: Principal) throws(ScheduleError) {
        let bytes = schedule.storedBytes
        guard bytes <= Self.bytesMaximum else { throw .tooLarge(bytes: bytes, maximum: Self.bytesMaximum) }
        do throws(TableError) { try store.createChangeControlTable() } catch { throw .store(error) }
        guard try waitingCount() < Self.waitingMaximum else { throw .tooMany(Self.waitingMaximum) }
        let isNew = Condition.attributeNotExists(DocumentPath(ChangeControlTable.partition))
        try write(.put(table: ChangeControlTable.name, item: schedule.item, condition: isNew), schedule.id, principal)
    }

    /// The schedule of a name, in whichever environment.
    ///
    /// - Throws: `notFound`, `damaged`, `store`.
    package func find(_ id: String) throws(ScheduleError) -> Schedule {
        guard ChangeID.isOne(id), try isThere() else { throw .notFound(id) }
        let keys = Environment.allCases.map { Schedule.key(id, in: $0) }
        let items = try reading { () throws(TableError) in
            try store.getItems(table: ChangeControlTable.name, keys: keys)
        }
        guard let item = items.lazy.compactMap({ $0 }).first else { throw .notFound(id) }
        guard let schedule = Schedule(item: item) else { throw .damaged(id) }
        return schedule
    }

    /// Puts the next version of a schedule in the place of the one that it was made of.
    ///
    /// - Throws: `overtaken` when that is not there any more, `tooLarge`, `store`.
    package func replace(_ old: Schedule, by new: Schedule, as principal: Principal) throws(ScheduleError) {
        let bytes = new.storedBytes
        guard bytes <= Self.bytesMaximum || new.state.isEnded else {
            throw .tooLarge(bytes: bytes, maximum: Self.bytesMaximum)
        }
        try write(replacement(of: old, by: new), old.id, principal)
    }

    /// The same as an operation, to be done together with others.
    func replacement(of old: Schedule, by new: Schedule) -> WriteOperation {
        .put(
            table: ChangeControlTable.name, item: new.item,
            condition: .equals(DocumentPath(ScheduleAttribute.version), .number(old.version)))
    }

    private func write(
        _ operation: WriteOperation, _ id: String, _ principal: Principal
    ) throws(ScheduleError) {
        do throws(TableError) { try store.transactAndWait([operation], principal: principal) } catch {
            throw error.failedCondition == nil ? .store(error) : .overtaken(id)
        }
    }

    // MARK: - Many

    /// How many wait, of all environments.
    package func waitingCount() throws(ScheduleError) -> Int {
        guard try isThere() else { return 0 }
        var count = 0
        for environment in Environment.allCases {
            let query = query(.open, in: environment)
            count +=
                try reading { () throws(TableError) in try store.count(query, upTo: Self.waitingMaximum) }
                ?? Self.waitingMaximum
        }
        return count
    }

    /// What there is to do. O(schedules that wait), without their operations.
    func agenda() throws(ScheduleError) -> [ScheduleAgenda.Entry] {
        guard try isThere() else { return [] }
        var entries: [ScheduleAgenda.Entry] = []
        for environment in Environment.allCases {
            var query = query(.open, in: environment)
            query.attributes = [ScheduleAttribute.state]
            try forEachPage(of: query) { page in
                entries += page.items.compactMap { ScheduleAgenda.Entry(item: $0) }
                return true
            }
        }
        return entries
    }

    /// Lets go of the oldest that have ended: those that are past their time, and those that are too many. What fails
    /// is done another time. O(those that have ended), for counting them.
    func sweep(_ environment: Environment, at now: Timestamp) {
        let query = query(.ended, in: environment)
        let most = Self.keptMaximum + Self.sweptAtOnce
        let count: Int
        do throws(TableError) { count = try store.count(query, upTo: most) ?? most } catch { return }
        var oldest = query
        oldest.limit = Self.sweptAtOnce
        oldest.attributes = [ScheduleAttribute.state]
        guard let page = try? store.query(oldest) else { return }
        let bound = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch - Self.keptMilliseconds).rfc3339
        let superfluous = page.items.enumerated().filter { index, item in
            index < count - Self.keptMaximum || item[ChangeControlTable.order]?.stringValue ?? bound < bound
        }
        let keys = superfluous.compactMap { $0.element[ChangeControlTable.sort]?.stringValue }
        guard !keys.isEmpty else { return }
        _ = try? store.transactAndWait(
            keys.map { .delete(table: ChangeControlTable.name, key: Schedule.key($0, in: environment)) },
            principal: .server)
    }

    // MARK: - Reading

    func query(_ list: ScheduleList, in environment: Environment) -> Query {
        Query(
            table: ChangeControlTable.name, index: ChangeControlTable.schedulesIndex,
            partition: .string(list.partition(in: environment)))
    }

    /// Calls `body` with one page after the other, until it wants no more.
    func forEachPage(of query: Query, _ body: (QueryPage) throws(ScheduleError) -> Bool) throws(ScheduleError) {
        var query = query
        while true {
            let page = try reading { () throws(TableError) in try store.query(query) }
            guard try body(page), let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }

    /// Whether anybody has ever planned a change here.
    func isThere() throws(ScheduleError) -> Bool {
        try reading { () throws(TableError) in try store.listTables().contains(ChangeControlTable.name) }
    }

    private func reading<Value>(_ body: () throws(TableError) -> Value) throws(ScheduleError) -> Value {
        do throws(TableError) { return try body() } catch { throw .store(error) }
    }
}
