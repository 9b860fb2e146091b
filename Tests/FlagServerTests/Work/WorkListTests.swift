import FlagCore
import FlagStore
import JSON
import Platform
import Testing

@testable import Administration
@testable import FlagServer

@Suite("List of long work")
struct WorkListTests {
    private static let ada = WorkClient(name: "ada") { false }

    /// What work said that ended.
    private final class Reports: Sendable {
        let lines = Locked<[String]>([])

        func list() -> WorkList {
            WorkList(now: { RouteServer.start }) { [lines] entry, outcome in
                let text =
                    switch outcome {
                    case .done: "done"
                    case .stopped(let stopped): "\(stopped)"
                    case .failed(let reason): "failed: \(reason)"
                    }
                lines.withLock { $0.append("\(entry.what) of \(entry.client): \(text)") }
            }
        }
    }

    @Test("Work is listed while it is done: what, for whom, since when, how far")
    func listed() throws {
        let reports = Reports()
        let list = reports.list()
        let shown = try list.run("import", for: Self.ada) { progress in
            let before = list.json
            progress.expect(10)
            progress.note(done: 4)
            return [before, list.json]
        }
        let entries = shown.map { $0["work"]?.arrayValue ?? [] }
        #expect(entries.map(\.count) == [1, 1])
        #expect(entries[0][0]["total"] == .null)
        #expect(entries[1][0]["what"] == "import" && entries[1][0]["by"] == "ada")
        #expect(entries[1][0]["startedAt"] == "2026-01-02T03:04:05.678Z")
        #expect(entries[1][0]["done"] == 4 && entries[1][0]["total"] == 10)
        #expect(entries[1][0]["stopping"] == false)
        #expect(list.entries.isEmpty)
        #expect(reports.lines.withLock { $0 } == ["import of ada: done"])
    }

    @Test("Each piece of work is cancelled by its own identifier, at its next step")
    func cancelled() throws {
        let reports = Reports()
        let list = reports.list()
        try list.run("outer", for: Self.ada) { outer in
            #expect(throws: FlagStoreError.self) {
                try list.run("inner", for: Self.ada) { inner in
                    let ids = list.entries.map(\.id)
                    #expect(Set(ids).count == 2)
                    #expect(list.cancel("0", by: "eve") == nil)
                    #expect(list.cancel(ids[1], by: "eve")?.what == "inner")
                    #expect(list.json["work"]?.arrayValue?.map { $0["stopping"] } == [false, true])
                    try inner.check()
                    Issue.record("it went on")
                }
            }
            try outer.check()
        }
        #expect(
            reports.lines.withLock { $0 } == [
                "inner of ada: stopped before anything was changed because it was cancelled by eve",
                "outer of ada: done",
            ])
    }

    @Test("When the process is to end all work stops, and what comes later does not begin")
    func stops() {
        let reports = Reports()
        let list = reports.list()
        #expect(throws: FlagStoreError.self) {
            try list.run("early", for: Self.ada) { progress in
                list.stop()
                try progress.check()
            }
        }
        #expect(throws: FlagStoreError.self) {
            try list.run("late", for: Self.ada) { _ in Issue.record("it began") }
        }
        let reason = "stopped before anything was changed because the server is stopping"
        #expect(reports.lines.withLock { $0 } == ["early of ada: \(reason)", "late of ada: \(reason)"])
    }

    @Test("Work whose client left before its turn does not begin, and a failure is told as one")
    func leaving() {
        let reports = Reports()
        let list = reports.list()
        #expect(throws: FlagStoreError.self) {
            try list.run("import", for: WorkClient(name: "bob") { true }) { _ in Issue.record("it began") }
        }
        #expect(throws: CommandFailure.self) {
            try list.run("backup", for: Self.ada) { _ in throw CommandFailure("no room") }
        }
        #expect(reports.lines.withLock { $0 }.last == "backup of ada: failed: no room")
        #expect(reports.lines.withLock { $0 }.first?.contains("the client has left") == true)
    }
}
