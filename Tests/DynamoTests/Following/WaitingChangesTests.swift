import Platform
import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("Changes that wait")
struct WaitingChangesTests {
    @Test("They are counted until they are taken, and the oldest is known")
    func counting() {
        var waiting = WaitingChanges()
        for commit in 1...10 as ClosedRange<Int64> { waiting.add(3, upTo: 3 * commit, since: 100 * commit) }
        let cases: [(taken: Int64, count: Int, since: Int64?)] = [
            (0, 30, 100), (2, 30, 100), (3, 27, 200), (14, 18, 500), (30, 0, nil), (99, 0, nil),
        ]
        for (taken, count, since) in cases {
            waiting.take(upTo: taken)
            #expect((waiting.count, waiting.since) == (count, since))
        }
    }

    @Test("However many there are, all are counted, and none is older than it is by more than what came with it")
    func bounded() throws {
        var waiting = WaitingChanges()
        let commits: Int64 = 100_000
        for commit in 1...commits { waiting.add(2, upTo: 2 * commit, since: commit) }
        #expect(waiting.count == 2 * Int(commits))
        #expect(waiting.since == 1)
        for taken in stride(from: 2, to: 2 * commits, by: 997) {
            waiting.take(upTo: taken)
            let since = try #require(waiting.since)
            #expect(since <= taken / 2 + 1)
            #expect(since > taken / 2 - commits / 100)
        }
        waiting.take(upTo: 2 * commits)
        #expect(waiting.count == 0 && waiting.since == nil)
    }

    @Test("A follower that keeps up reads nothing; what is let go for being too many is read from the stream")
    func recent() throws {
        try StoreKind.memory.withStore { store in
            let stream = ReadCounter(store)
            let recent = RecentChanges(of: stream, table: TestTable.name, maximum: 5)
            stream.subscribe { _ = recent.add($0) }
            func write(_ count: Int) throws {
                for _ in 0..<count { try store.put(TestTable.item("p", "\(store.lastSequence)")) }
            }
            func take(after position: Int64) throws -> (sequences: [Int64], reads: Int) {
                let before = stream.reads.withLock { $0 }
                var (sequences, position): ([Int64], Int64) = ([], position)
                while let batch = try recent.batch(after: position, limit: 3) {
                    sequences += batch.content.map(\.sequence)
                    position = batch.upTo
                }
                return (sequences, stream.reads.withLock { $0 } - before)
            }
            try write(4)
            #expect(try take(after: 0) == ([1, 2, 3, 4], 0))
            #expect(try take(after: 4) == ([], 0))
            try write(5)
            // What was not taken is there again.
            #expect(try take(after: 4) == ([5, 6, 7, 8, 9], 0))
            try write(7)
            #expect(try take(after: 9) == ([10, 11, 12, 13, 14, 15, 16], 2))
            #expect(try take(after: 2).sequences == Array(3...16))
        }
    }

    @Test("What is large is let go and read again in pieces, by its bytes")
    func large() throws {
        try StoreKind.memory.withStore { store in
            let stream = ReadCounter(store)
            let recent = RecentChanges(of: stream, table: TestTable.name, bytesMaximum: 1_000_000)
            stream.subscribe { _ = recent.add($0) }
            let text = AttributeValue.string(String(repeating: "x", count: 300_000))
            for number in 1...3 { try store.put(TestTable.item("p", "\(number)", ["text": text])) }
            #expect(try recent.batch(after: 0, limit: 100)?.content.count == 3)
            #expect(stream.reads.withLock { $0 } == 0)
            // What was taken is no longer charged.
            for number in 4...36 { try store.put(TestTable.item("p", "\(number)", ["text": text])) }
            var (sizes, position): ([Int], Int64) = ([], 3)
            while let batch = try recent.batch(after: position, limit: 100) {
                sizes.append(batch.content.count)
                position = batch.upTo
            }
            // 8 MiB at a time from the stream, the last of them from memory.
            #expect(sizes == [28, 5] && stream.reads.withLock { $0 } == 2)
        }
    }

    /// A stream that counts how often it is read.
    private final class ReadCounter: TableChanges {
        let reads = Locked(0)
        private let store: SQLiteTableStore

        init(_ store: SQLiteTableStore) { self.store = store }

        func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) { store.subscribe(deliver) }
        func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
            reads.withLock { $0 += 1 }
            return try store.changes(after: sequence, limit: limit)
        }
        func firstSequence() throws(TableError) -> Int64 { try store.firstSequence() }
        var lastSequence: Int64 { store.lastSequence }
        func attach(_ follower: FollowerProgress) { store.attach(follower) }
    }
}
