import Audit
import AuditStore
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import Glibc
import Platform
import TableEngine

/// What history and audit log cost those who change flags: the same changes with neither, with the history, and with
/// both. Who follows the changes has taken all of them when the time is read.
struct AuditBench {
    private static let table = "feature-flags-bench"
    private static let flags = 1_000
    private static let inFlight = 64
    private static let rounds = 3

    let directory: String

    /// Changes flags for `seconds` in each way, several times by turns.
    func run(seconds: Int) throws -> Figures {
        var rates: [[Double]] = [[], [], []]
        for round in 0..<Self.rounds {
            for way in 0..<3 {
                let folder = "\(directory)/\(round)-\(way)"
                guard mkdir(folder, 0o700) == 0 else { throw Missing(what: folder) }
                rates[way].append(
                    try changes(in: folder, seconds: seconds, history: way > 0, audit: way > 1))
            }
        }
        var figures = Figures()
        for (name, some) in zip(["neither", "history", "both"], rates) { figures[name] = some.sorted()[some.count / 2] }
        return figures
    }

    /// Changes a second, each durable when it is answered.
    private func changes(in folder: String, seconds: Int, history: Bool, audit: Bool) throws -> Double {
        let store = try SQLiteTableStore.open(.directory(folder))
        defer { store.close() }
        let repository = FlagRepository(store: store, table: Self.table)
        try repository.createTableIfMissing()
        let follower = history ? FlagTableFollower(repository: repository, storeID: store.storeID) : nil
        let trail =
            audit ? AuditTrail(store: store, flagTables: [Self.table], key: [UInt8](repeating: 1, count: 32)) : nil
        follower?.start()
        trail?.start()
        for number in 0..<Self.flags {
            try store.transactAndWait(Self.change(number, 0), principal: Self.principal)
        }
        follower?.waitUntilIdle()
        trail?.catchUp()
        let clock = ContinuousClock()
        let began = clock.now
        let room = DispatchSemaphore(value: Self.inFlight)
        var count = 0
        while clock.now - began < .seconds(seconds) {
            room.wait()
            count += 1
            store.transact(Self.change(count * 7919 % Self.flags, count), principal: Self.principal) { _ in
                room.signal()
            }
        }
        for _ in 0..<Self.inFlight { room.wait() }
        follower?.waitUntilIdle()
        trail?.waitUntilIdle()
        let parts = (clock.now - began).components
        for _ in 0..<Self.inFlight { room.signal() }
        follower?.stop()
        trail?.stop()
        return Double(count) / (Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
    }

    private static let principal: Principal = {
        var circumstances = ChangeCircumstances()
        circumstances.requestID = "01990c1d7f6a7c3e"
        circumstances.address = "10.0.3.7"
        circumstances.userAgent = "curl/8.5.0"
        circumstances.proof = "key"
        return Principal(.key, "7fGh2kQ9mN4p").with(circumstances)
    }()

    /// A change of a flag as the server itself makes one: nothing is left to be derived from it.
    private static func change(_ number: Int, _ take: Int) -> [WriteOperation] {
        let key = "flag-\(number)"
        let owner = "team-\(number % 20)"
        let item: Item = [
            "PK": .string("FLAG#production#\(key)"), "SK": "METADATA", "GSI2PK": .string("OWNER#production#\(owner)"),
            "GSI2SK": .string("FLAG#\(key)"), "GSI3PK": "FLAGS#production",
            "GSI3SK": "METADATA#2026-01-01T00:00:00.000Z", "GSI4PK": .string("GLOBAL_FLAG#\(key)"),
            "GSI4SK": "ENV#production", "flagKey": .string(key), "owner": .string(owner),
            "description": .string("Take \(take) of a flag whose description has some length"),
            "defaultEnabled": .bool(take % 2 == 0), "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z", "version": .number(Int64(take + 1)), "environment": "production",
        ]
        return [
            .put(table: table, item: item),
            .update(
                table: table, key: TableKey("REVISION#production", "METADATA"), actions: [.add("revision", 1)]),
        ]
    }

    /// The milliseconds that the slowest page takes of a log that is in the directory, by what is looked for.
    func pages(_ records: Int) throws -> Figures {
        let store = try SQLiteTableStore.open(.directory(directory))
        defer { store.close() }
        try store.createTable(FlagTable.schema(named: Self.table))
        let trail = AuditTrail(store: store, flagTables: [Self.table], key: [UInt8](repeating: 1, count: 32))
        trail.start()
        for start in stride(from: 0, to: records, by: 50) {
            try store.transactAndWait(
                (start..<start + 50).map { number in
                    var change = Self.change(number % 20_000, number)
                    change.removeLast()
                    return change[0]
                }, principal: Principal(.key, "key-\(start / 50 % 500)"))
        }
        trail.waitUntilIdle()
        var filters: [(String, AuditFilter)] = [("all", AuditFilter())]
        func add(_ name: String, _ change: (inout AuditFilter) -> Void) {
            var filter = AuditFilter()
            change(&filter)
            filters.append((name, filter))
        }
        add("actor") { $0.actor = "key-77" }
        add("action") { $0.action = "flag.create" }
        add("flag") { $0.flag = "flag-777" }
        add("tenant") { $0.tenant = "nobody" }
        add("environment") { $0.environment = .production }
        add("outcome") { $0.outcome = .refused }
        let middle = try trail.record(Int64(records / 2))?.entry.time
        add("until") { $0.until = middle }
        add("since") { $0.since = middle }
        add("several") { filter in
            (filter.actor, filter.flag, filter.until) = ("key-77", "flag-777", middle)
        }
        var figures = Figures()
        for (name, filter) in filters {
            figures[name] = try microseconds(times: 20) { _ in _ = try trail.page(filter, limit: 100) } / 1000
        }
        trail.stop()
        return figures
    }
}
