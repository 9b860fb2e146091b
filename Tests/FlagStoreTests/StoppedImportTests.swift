import DynamoModel
import FlagCore
import Platform
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Imports that are stopped")
struct StoppedImportTests {
    /// Work that nobody waits for any more from the given question on: the first is 1.
    private static func progress(abandonedAt question: Int) -> WorkProgress {
        let asked = Locked(0)
        return WorkProgress {
            asked.withLock { asked in
                asked += 1
                return asked >= question
            }
        }
    }

    private static func flags(_ count: Int, _ more: String = "") throws -> ImportDocument {
        let flags = (0..<count).map {
            #"{"flagKey":"f\#($0)","description":"d","owner":"o","defaultEnabled":true}"#
        }
        return try ImportDocument(parsing: Array(#"{"flags":[\#(flags.joined(separator: ","))]\#(more)}"#.utf8))
    }

    private static func plan(
        _ document: ImportDocument, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge
    ) throws -> ImportPlan {
        try ImportPlan(
            document, mode: mode, over: fixture.repository.stored(in: .development), now: Fixture.start)
    }

    private static func count(_ fixture: Fixture) throws -> Int {
        var count = 0
        try fixture.repository.forEachFlag(in: .development) { _ in count += 1 }
        return count
    }

    /// What an import says that is stopped.
    private static func stopped(_ work: () throws -> Void) -> WorkStopped? {
        if case .stopped(let stopped)? = failure(work) { return stopped }
        Issue.record("it was not stopped")
        return nil
    }

    @Test("It stops between two transactions and says what is durable; the same file does the rest", arguments: 1...11)
    func stops(question: Int) throws {
        let fixture = try Fixture()
        let document = try Self.flags(1000)
        let plan = try Self.plan(document, fixture)
        let stopped = Self.stopped {
            try plan.apply(to: fixture.repository, in: .tests(plan.environment), Self.progress(abandonedAt: question))
        }
        // A question before each transaction of 99.
        let done = (question - 1) * 99
        #expect(stopped == WorkStopped(reason: .abandoned, done: done, total: 1000))
        #expect(try Self.count(fixture) == done)
        try Self.plan(document, fixture).apply(to: fixture.repository, in: .tests(.development))
        #expect(try Self.count(fixture) == 1000)
    }

    @Test("What is stopped when all is durable is done")
    func late() throws {
        let fixture = try Fixture()
        let plan = try Self.plan(try Self.flags(10), fixture)
        try plan.apply(to: fixture.repository, in: .tests(plan.environment), Self.progress(abandonedAt: 2))
        #expect(try Self.count(fixture) == 10)
    }

    @Test("The comparison with what is stored stops as well", arguments: [1, 50, 100])
    func comparison(question: Int) throws {
        let fixture = try Fixture()
        let document = try Self.flags(100)
        let stopped = Self.stopped {
            _ = try ImportPlan(
                document, mode: .merge, over: fixture.repository.stored(in: .development), now: Fixture.start,
                Self.progress(abandonedAt: question))
        }
        #expect(stopped?.description.hasPrefix("stopped before anything was changed because nobody waits") == true)
    }

    @Test("So does the removal of flags, between two of them or two pages of overrides of one")
    func removal() throws {
        let fixture = try Fixture()
        let overrides = (0..<300).map {
            #"{"flagKey":"f0","tenantId":"t\#($0)","enabled":true,"updatedBy":"me"}"#
        }
        let document = try Self.flags(3, #","overrides":[\#(overrides.joined(separator: ","))]"#)
        try Self.plan(document, fixture).apply(to: fixture.repository, in: .tests(.development))
        let nothing = try Self.flags(0)
        let plan = try Self.plan(nothing, fixture, .replace)
        var left: [Int] = []
        for question in 1... {
            let progress = Self.progress(abandonedAt: question)
            let error = failure { try plan.apply(to: fixture.repository, in: .tests(plan.environment), progress) }
            guard let error else { break }
            guard case .stopped(let stopped) = error else { throw error }
            #expect(stopped.total == 3)
            #expect(try Self.count(fixture) == 3 - stopped.done)
            left.append(try fixture.repository.overrides(ofFlag: "f0", in: .development, limit: 1000).records.count)
        }
        // The newest first; the last one in three pages.
        #expect(left == [300, 300, 203])
        #expect(try Self.count(fixture) == 0)
    }

    @Test("And the removal of a segment, whose keys count when they are read")
    func segment() throws {
        let fixture = try Fixture()
        let keys = (0..<500).map { "\"k\($0)\"" }.joined(separator: ",")
        let segment = #"{"name":"s","description":"d","owner":"o","keys":[\#(keys)]}"#
        try Self.plan(try Self.flags(0, #","segments":[\#(segment)]"#), fixture)
            .apply(to: fixture.repository, in: .tests(.development))
        let plan = try Self.plan(try Self.flags(0, #","segments":[]"#), fixture, .replace)
        let stopped = Self.stopped {
            try plan.apply(to: fixture.repository, in: .tests(plan.environment), Self.progress(abandonedAt: 4))
        }
        #expect(stopped == WorkStopped(reason: .abandoned, done: 198, total: 501))
        #expect(try fixture.repository.allKeys(ofSegment: "s", in: .development).count == 302)
        try Self.plan(try Self.flags(0, #","segments":[]"#), fixture, .replace)
            .apply(to: fixture.repository, in: .tests(.development))
        #expect(try fixture.repository.allKeys(ofSegment: "s", in: .development).isEmpty)
    }

    @Test("The first reason to stop is told")
    func reasons() {
        let progress = WorkProgress { true }
        progress.expect(7)
        progress.note(done: 2)
        progress.stop(.cancelled(by: "ada"))
        progress.stop(.serverStops)
        let stopped = Self.stopped { try progress.check() }
        #expect(
            stopped?.description
                == "stopped after 2 of 7 changes because it was cancelled by ada; import the same file again to do the "
                + "rest")
    }
}
