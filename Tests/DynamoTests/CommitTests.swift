import Dispatch
import DynamoModel
import Platform
import TableEngine
import TestSupport
import Testing

@Suite("Commits")
struct CommitTests {
    /// Collects what completions and subscribers say, in order.
    private enum Event: Equatable {
        case changes([Int64])
        case completion(Int, succeeded: Bool)
    }

    @Test("One failed condition undoes nothing else of its batch", arguments: StoreKind.allCases)
    func failedConditionAlone(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let results = Locked<[Int: Result<[WriteOutcome], TableError>]>([:])
            let group = DispatchGroup()
            for number in 0..<100 {
                group.enter()
                // Every third one is a second creation of the item before it.
                let name = number % 3 == 2 ? number - 1 : number
                store.transact(
                    [
                        .put(
                            table: TestTable.name, item: TestTable.item("p", "\(name)", ["v": .number(Int64(number))]),
                            condition: .attributeNotExists("PK"))
                    ], principal: .anonymous
                ) { result in
                    results.withLock { $0[number] = result }
                    group.leave()
                }
            }
            group.wait()
            for (number, result) in results.withLock({ $0 }) {
                switch result {
                case .success: #expect(number % 3 != 2)
                case .failure(let error):
                    #expect(number % 3 == 2)
                    #expect(
                        error
                            == .conditionFailed(
                                operation: 0,
                                existing: TestTable.item("p", "\(number - 1)", ["v": .number(Int64(number - 1))])))
                }
            }
            #expect(try store.scan(Scan(table: TestTable.name)).items.count == 67)
        }
    }

    @Test("A transaction happens as a whole or not at all, and says for each operation why")
    func atomic() throws {
        try StoreKind.memory.withStore { (store) throws in
            let old = TestTable.item("p", "1", ["v": 1])
            try store.put(old)
            let operations: [WriteOperation] = [
                .put(table: TestTable.name, item: TestTable.item("p", "2")),
                .update(
                    table: TestTable.name, key: TestTable.key("p", "1"), actions: [.add("v", 1)],
                    condition: .equals("v", 9)),
                .update(table: TestTable.name, key: TestTable.key("p", "3"), actions: [.set("a", .path("none"))]),
                .check(table: TestTable.name, key: TestTable.key("p", "4"), condition: .attributeNotExists("PK")),
            ]
            let error = #expect(throws: TableError.self) {
                try store.transactAndWait(operations, principal: .anonymous)
            }
            #expect(
                error
                    == .transactionCanceled([
                        nil, .conditionFailed(existing: old),
                        .validation("The provided expression refers to an attribute that does not exist in the item"),
                        nil,
                    ]))
            #expect(error?.failedCondition?.operation == 1)
            #expect(error?.description.contains("[None, ConditionalCheckFailed, ValidationError, None]") == true)
            #expect(try store.scan(Scan(table: TestTable.name)).items == [old])
        }
    }

    @Test("Every operation of a transaction sees the items as they were, and the answer holds both forms")
    func outcomes() throws {
        try StoreKind.memory.withStore { (store) throws in
            let old = TestTable.item("p", "1", ["v": 1])
            try store.put(old)
            let outcomes = try store.transactAndWait(
                [
                    .update(table: TestTable.name, key: TestTable.key("p", "1"), actions: [.add("v", 1)]),
                    .put(table: TestTable.name, item: TestTable.item("p", "2"), condition: .attributeNotExists("PK")),
                    .delete(table: TestTable.name, key: TestTable.key("p", "3")),
                ], principal: .anonymous)
            #expect(outcomes.map(\.old) == [old, nil, nil])
            #expect(outcomes.map(\.new) == [TestTable.item("p", "1", ["v": 2]), TestTable.item("p", "2"), nil])
        }
    }

    @Test("Completions come in order, each after its change was delivered", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let events = Locked<[Event]>([])
            store.subscribe { changes in events.withLock { $0.append(.changes(changes.map(\.sequence))) } }
            let group = DispatchGroup()
            for number in 0..<50 {
                group.enter()
                store.transact(
                    [.put(table: TestTable.name, item: TestTable.item("p", "\(number)"))], principal: .anonymous
                ) { _ in
                    events.withLock { $0.append(.completion(number, succeeded: true)) }
                    group.leave()
                }
            }
            group.wait()
            var delivered: Int64 = 0
            var completed = 0
            for event in events.withLock({ $0 }) {
                switch event {
                case .changes(let sequences):
                    #expect(sequences == Array(delivered + 1...delivered + Int64(sequences.count)))
                    delivered += Int64(sequences.count)
                case .completion(let number, _):
                    #expect(number == completed)
                    completed += 1
                    #expect(delivered >= Int64(completed))
                }
            }
            #expect(completed == 50 && delivered == 50)
        }
    }

    @Test("An answered write is seen by a read on any thread", arguments: StoreKind.allCases)
    func readYourWrites(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let failures = Locked(0)
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                for round: Int64 in 1...50 {
                    do {
                        try store.put(
                            TestTable.item("p", "\(thread)", ["v": .number(round), "owner": .string("\(thread)")]))
                        let item = try store.getItem(table: TestTable.name, key: TestTable.key("p", "\(thread)"))
                        let entries = try store.query(
                            Query(table: TestTable.name, index: "by-owner", partition: .string("\(thread)"))
                        ).items.count
                        if item?["v"] != .number(round) || entries != 1 { failures.withLock { $0 += 1 } }
                    } catch {
                        failures.withLock { $0 += 1 }
                    }
                }
            }
            #expect(failures.withLock { $0 } == 0)
        }
    }

    /// Keeps the writer from beginning another batch, until what is returned is signalled: completions run on its
    /// queue.
    private func holdWriter(of store: SQLiteTableStore) -> DispatchSemaphore {
        let isHeld = DispatchSemaphore(value: 0)
        let mayGoOn = DispatchSemaphore(value: 0)
        store.transact([.put(table: TestTable.name, item: TestTable.item("p", "hold"))], principal: .anonymous) { _ in
            isHeld.signal()
            mayGoOn.wait()
        }
        isHeld.wait()
        return mayGoOn
    }

    @Test("More waiting transactions than the limit are refused at once")
    func boundedQueue() throws {
        var limits = TableLimits()
        limits.waitingTransactionsMax = 3
        try StoreKind.memory.withStore(limits) { (store) throws in
            let mayGoOn = holdWriter(of: store)
            let results = Locked<[Bool]>([])
            let group = DispatchGroup()
            for number in 0..<5 {
                group.enter()
                store.transact(
                    [.put(table: TestTable.name, item: TestTable.item("p", "\(number)"))], principal: .anonymous
                ) { result in
                    if case .failure(let error) = result { #expect(error == .tooManyWaiting(limit: 3)) }
                    results.withLock { $0.append((try? result.get()) != nil) }
                    group.leave()
                }
            }
            #expect(results.withLock { $0 } == [false, false])
            mayGoOn.signal()
            group.wait()
            #expect(results.withLock { $0 } == [false, false, true, true, true])
        }
    }

    @Test("What is urgent is done before all that waits, however much that is")
    func urgency() throws {
        var limits = TableLimits()
        limits.waitingTransactionsMax = 500
        limits.batchTransactionsMax = 100
        try StoreKind.memory.withStore(limits) { (store) throws in
            let mayGoOn = holdWriter(of: store)
            let order = Locked<[String]>([])
            let group = DispatchGroup()
            func write(_ name: String, _ urgency: WriteUrgency) {
                group.enter()
                store.transact(
                    [.put(table: TestTable.name, item: TestTable.item("p", name))], principal: .anonymous,
                    urgency: urgency
                ) { result in
                    order.withLock { $0.append((try? result.get()) == nil ? "refused" : name) }
                    group.leave()
                }
            }
            for number in 0..<500 { write("\(number)", .usual) }
            write("too many", .usual)
            write("first", .urgent)
            write("second", .urgent)
            mayGoOn.signal()
            group.wait()
            #expect(order.withLock { Array($0.prefix(5)) } == ["refused", "first", "second", "0", "1"])
            #expect(order.withLock { $0.count } == 503)
        }
    }

    @Test("What is urgent does not wait for the rest of a batch that is at work")
    func batchOvertaken() throws {
        var limits = TableLimits()
        limits.waitingTransactionsMax = 200
        limits.batchTransactionsMax = 200
        limits.batchBytesMax = .max
        try StoreKind.memory.withStore(limits) { (store) throws in
            let text = AttributeValue.string(String(repeating: "a", count: 390_000))
            try store.put(TestTable.item("p", "large", ["text": text]))
            let mayGoOn = holdWriter(of: store)
            let order = Locked<[String]>([])
            let group = DispatchGroup()
            // Each keeps the writer busy for a while; all of them are one batch.
            let looks = Condition.not(.or(Array(repeating: .contains(.path("text"), .value("b")), count: 20)))
            for number in 0..<200 {
                group.enter()
                store.transact(
                    [.check(table: TestTable.name, key: TestTable.key("p", "large"), condition: looks)],
                    principal: .anonymous
                ) { _ in
                    order.withLock { $0.append("\(number)") }
                    group.leave()
                }
            }
            mayGoOn.signal()
            // Once there is room in the line, the batch is at work.
            while true {
                let isRefused = Locked(false)
                store.transact([.put(table: TestTable.name, item: TestTable.item("p", "next"))], principal: .anonymous)
                {
                    if case .failure(.tooManyWaiting) = $0 { isRefused.withLock { $0 = true } }
                }
                if !isRefused.withLock({ $0 }) { break }
            }
            group.enter()
            store.transact(
                [.put(table: TestTable.name, item: TestTable.item("p", "urgent"))], principal: .anonymous,
                urgency: .urgent
            ) { _ in
                order.withLock { $0.append("urgent") }
                group.leave()
            }
            group.wait()
            #expect(order.withLock { $0.last } == "199")
        }
    }

    @Test("A batch ends when it has been at work for long")
    func batchWork() throws {
        var limits = TableLimits()
        limits.batchBytesMax = 100_000
        try StoreKind.memory.withStore(limits) { (store) throws in
            let commits = Locked<[Int]>([])
            store.subscribe { changes in commits.withLock { $0.append(changes.count) } }
            let mayGoOn = holdWriter(of: store)
            let group = DispatchGroup()
            for number in 0..<20 {
                group.enter()
                let text = AttributeValue.string(String(repeating: "a", count: 30_000))
                store.transact(
                    [.put(table: TestTable.name, item: TestTable.item("p", "\(number)", ["text": text]))],
                    principal: .anonymous
                ) { _ in group.leave() }
            }
            mayGoOn.signal()
            group.wait()
            #expect(commits.withLock { $0 } == [1, 4, 4, 4, 4, 4])
        }
    }

    @Test("The items that a transaction finds count towards its size")
    func sizeOfStoredItems() throws {
        try StoreKind.memory.withStore { store in
            let text = AttributeValue.string(String(repeating: "a", count: 390_000))
            for number in 0..<12 { try store.put(TestTable.item("p", "\(number)", ["text": text])) }
            func touch(_ count: Int) throws {
                try store.transactAndWait(
                    (0..<count).map { number in
                        .update(
                            table: TestTable.name, key: TestTable.key("p", "\(number)"), actions: [.add("n", 1)],
                            condition: nil)
                    }, principal: .anonymous)
            }
            try touch(10)
            #expect(throws: TableError.self) { try touch(12) }
        }
    }

    @Test("Closing finishes what waits")
    func closeDrains() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        try store.createTable(TestTable.schema)
        let succeeded = Locked(0)
        for number in 0..<200 {
            store.transact(
                [.put(table: TestTable.name, item: TestTable.item("p", "\(number)"))], principal: .anonymous
            ) { result in
                if (try? result.get()) != nil { succeeded.withLock { $0 += 1 } }
            }
        }
        store.close()
        #expect(succeeded.withLock { $0 } == 200)
        let again = try SQLiteTableStore.open(.directory(directory.path))
        #expect(try again.scan(Scan(table: TestTable.name)).items.count == 200)
        again.close()
    }

    @Test("What is written moves from the log into the file while writing goes on")
    func movedLog() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        let value = AttributeValue.binary([UInt8](repeating: 7, count: 100_000))
        var written = 0
        // The log is moved from 4 MB on, by a queue of its own that may be late.
        while try read(directory.path + "/flags.db").count < 1_000_000, written < 1000 {
            try store.put(TestTable.item("p", "\(written)", ["v": value]))
            written += 1
        }
        #expect(written < 1000)
        #expect(try store.verify().items == written)
    }
}
