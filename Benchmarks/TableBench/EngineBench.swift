import Dispatch
import DynamoModel
import Platform
import TableEngine

/// The engine, called as the endpoint calls it.
struct EngineBench {
    let store: SQLiteTableStore

    init(_ directory: String, keys: AtRestKeys = .none) throws {
        store = try SQLiteTableStore.open(.directory(directory), keys: { () throws(TableError) in keys })
    }

    /// Puts `count` items into a new table, 100 a transaction.
    func load(_ count: Int) throws -> Figures {
        try store.createTable(BenchItems.schema(named: BenchItems.table))
        let clock = ContinuousClock()
        let started = clock.now
        try pipelined(count: (count + 99) / 100, inFlight: 32) { batch in
            (batch * 100..<min(count, batch * 100 + 100)).map { number in
                .put(table: BenchItems.table, item: BenchItems.item(number))
            }
        }
        let seconds = Double((clock.now - started).components.seconds)
        store.close()
        var figures = Figures()
        figures["items"] = Double(count)
        figures["seconds"] = seconds
        return figures
    }

    /// Reads a table of `count` items in every way.
    func read(_ count: Int) throws -> Figures {
        var figures = Figures()
        // First, so that the file is in the system's cache for what follows.
        let bytes = Double(count * BenchItems.itemBytes)
        var scanned = 0
        let scan = try microseconds(times: 1) { _ in scanned = try scanAll() }
        try expect(count, scanned)
        figures["scanItems"] = Double(count) / scan * 1e6
        figures["scanMegabytes"] = bytes / scan
        figures["get"] = try microseconds(times: 50_000) { step in
            let number = scattered(step, below: count)
            guard try store.getItem(table: BenchItems.table, key: BenchItems.key(number)) != nil else {
                throw Missing(what: "item \(number)")
            }
        }
        figures["query"] = try microseconds(times: 2_000) { step in
            let query = Query(
                table: BenchItems.table, partition: BenchItems.partition(scattered(step, below: count)))
            try expect(BenchItems.partitionSize, try store.query(query).items.count)
        }
        figures["indexQuery"] = try microseconds(times: 10_000) { step in
            let query = Query(
                table: BenchItems.table, index: "GSI2", partition: BenchItems.owner(scattered(step, below: count)))
            try expect(BenchItems.ownerSize, try store.query(query).items.count)
        }
        store.close()
        return figures
    }

    private func scanAll() throws -> Int {
        var scan = Scan(table: BenchItems.table)
        var items = 0
        while true {
            let page = try store.scan(scan)
            items += page.items.count
            guard let next = page.lastEvaluatedKey else { return items }
            scan.exclusiveStart = next
        }
    }

    /// Puts single items for a while, one after the other and then 64 at a time, into a table of their own.
    func write(seconds: Int) throws -> Figures {
        var figures = Figures()
        let table = "bench-writes"
        try store.createTable(BenchItems.schema(named: table))
        for inFlight in [1, 64] { figures["puts\(inFlight)"] = try puts(inFlight, into: table, seconds: seconds) }
        try store.deleteTable(table)
        store.close()
        return figures
    }

    /// Puts single items into a table for a while, so many at a time.
    ///
    /// - Returns: how many a second.
    func puts(_ inFlight: Int, into table: String, seconds: Int) throws -> Double {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        let count = try pipelined(inFlight: inFlight, while: { clock.now < end }) { number in
            [.put(table: table, item: BenchItems.item(number))]
        }
        return Double(count) / Double(seconds)
    }

    @discardableResult
    private func pipelined(
        count: Int = .max, inFlight: Int, while goes: () -> Bool = { true }, _ operations: (Int) -> [WriteOperation]
    ) throws -> Int {
        let room = DispatchSemaphore(value: inFlight)
        let failure = Locked<TableError?>(nil)
        var number = 0
        while number < count, goes(), failure.withLock({ $0 == nil }) {
            room.wait()
            store.transact(operations(number), principal: .anonymous) { result in
                if case .failure(let error) = result { failure.withLock { $0 = error } }
                room.signal()
            }
            number += 1
        }
        for _ in 0..<inFlight { room.wait() }
        for _ in 0..<inFlight { room.signal() }
        if let error = failure.withLock({ $0 }) { throw error }
        return number
    }

    private func expect(_ wanted: Int, _ found: Int) throws {
        if wanted != found { throw Missing(what: "\(wanted) items: there are \(found)") }
    }
}

/// The store does not hold what it should.
struct Missing: Error {
    let what: String
}
