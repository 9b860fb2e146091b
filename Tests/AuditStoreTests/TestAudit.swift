import Bytes
import Dispatch
import FlagCore
import JSON
import Platform
import TestSupport

@testable import Audit
@testable import AuditStore
@testable import DynamoModel
@testable import FlagStore
@testable import TableEngine

/// A store with a flag table and an audit log, as tests have them.
final class TestAudit {
    static let table = "feature-flags-local"
    static let key = [UInt8](repeating: 7, count: 32)

    let directory: TemporaryDirectory
    private(set) var store: SQLiteTableStore
    private(set) var trail: AuditTrail

    init(attaching: Bool = true) throws {
        directory = try TemporaryDirectory()
        store = try SQLiteTableStore.open(.directory(directory.path))
        trail = AuditTrail(store: store, flagTables: [Self.table], key: Self.key)
        try store.createTable(FlagTable.schema(named: Self.table))
        if attaching { trail.start() }
    }

    deinit { store.close() }

    /// Ends the process, as far as the store can tell, and begins another.
    func restart(stopping: Bool = true, key: [UInt8] = TestAudit.key) throws {
        if stopping { trail.stop() }
        store.close()
        store = try SQLiteTableStore.open(.directory(directory.path))
        trail = AuditTrail(store: store, flagTables: [Self.table], key: key)
        trail.start()
    }

    /// Writes a flag by hand.
    func put(
        _ flag: String, owner: String = "team", _ environment: Environment = .production,
        by principal: Principal = Principal(.accessKey, "AKID")
    ) throws {
        try store.transactAndWait(
            [.put(table: Self.table, item: Self.item(flag, owner: owner, environment))], principal: principal)
    }

    static func item(_ flag: String, owner: String = "team", _ environment: Environment = .production) -> Item {
        [
            "PK": .string(ItemKey.flagPartition(environment, flag)), "SK": "METADATA", "flagKey": .string(flag),
            "description": "a flag", "defaultEnabled": true, "owner": .string(owner),
            "createdAt": "2026-01-01T00:00:00.000Z",
        ]
    }

    /// All records that a filter finds, page by page.
    func records(
        _ filter: AuditFilter = AuditFilter(), _ order: AuditTrail.Order = .oldest, pageSize: Int = 100
    ) throws -> [AuditRecord] {
        trail.catchUp()
        var records: [AuditRecord] = []
        var start: Int64?
        repeat {
            let page = try trail.page(filter, from: start, order, limit: pageSize)
            records += page.records
            start = page.next
        } while start != nil
        return records
    }

    /// What a verification finds wrong.
    func problems(_ heads: [AuditHead] = []) throws -> [String] { try trail.verify(against: heads).problems }
}

extension AuditFilter {
    /// A filter with something set.
    static func with(_ change: (inout AuditFilter) -> Void) -> AuditFilter {
        var filter = AuditFilter()
        change(&filter)
        return filter
    }
}
