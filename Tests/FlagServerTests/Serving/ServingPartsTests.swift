import Bytes
import Dispatch
import Glibc
import Platform
import TestSupport
import Testing

@testable import FlagServer
@testable import HTTPRouting
@testable import Telemetry

@Suite("Parts of serving")
struct ServingPartsTests {
    @Test("The metrics' text has one header a family and escapes its labels")
    func metricsText() {
        var text = MetricsText()
        text.family("requests_total", .counter, "Requests.")
        text.sample(3, ["route": "a\"b\\c\nd", "status": "200"])
        text.sample(0, ["route": "x", "status": "404"])
        text.family("uptime_seconds", .gauge, "Uptime.")
        text.sample(fraction: 1.5)
        #expect(
            String(decoding: text.bytes, as: UTF8.self) == #"""
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{route="a\"b\\c\nd",status="200"} 3
                requests_total{route="x",status="404"} 0
                # HELP uptime_seconds Uptime.
                # TYPE uptime_seconds gauge
                uptime_seconds 1.5

                """#)
    }

    @Test("A block's counters are independent and readable from other threads")
    func counters() {
        let block = CounterBlock(count: 3)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1_000 { block.raiseShared(1) }
        }
        block.raise(2, by: 5)
        block.publish(0, 7)
        #expect([block[0], block[1], block[2]] == [7, 8_000, 5])
    }

    @Test("A worker pool refuses more than it may hold, and takes more once there is room")
    func workers() {
        let pool = WorkerPool(limits: .init(workers: 2, waitingJobs: 3))
        let gate = Gate()
        defer { gate.open(for: 3) }
        let done = Gate()
        for _ in 0..<3 {
            #expect(
                pool.submit {
                    gate.pass(); done.open(for: 1)
                })
        }
        #expect(!pool.submit {})
        // A kill switch does not wait for anything.
        let urgent = Gate()
        #expect(pool.submit(.urgent) { urgent.open(for: 1) })
        #expect(urgent.isPassed(1))
        // Nor does anything wait for what is long, of which there may be less.
        for _ in 0..<8 { #expect(pool.submit(.long) { urgent.open(for: 1) }) }
        #expect(urgent.isPassed(8))
        gate.open(for: 3)
        #expect(done.isPassed(3))
        #expect(eventually { pool.jobCount == 0 })
        #expect(pool.submit { done.open(for: 1) })
        #expect(done.isPassed(1))
    }

    @Test("What is long has one worker and a short line of its own, and takes nobody else's")
    func longJobs() {
        let pool = WorkerPool(limits: .init(workers: 2, waitingJobs: 100, longJobs: 3))
        let gate = Gate()
        defer { gate.open(for: 3) }
        for _ in 0..<3 { #expect(pool.submit(.long) { gate.pass() }) }
        for _ in 0..<3 { #expect(!pool.submit(.long) {}) }
        let done = Gate()
        for _ in 0..<50 { #expect(pool.submit { done.open(for: 1) }) }
        #expect(pool.submit(.urgent) { done.open(for: 1) })
        #expect(done.isPassed(51))
        // What was refused takes no place: there is room again as soon as one of the others has ended.
        gate.open(for: 3)
        let end = ContinuousClock.now + .seconds(10)
        var isTaken = false
        while !isTaken, ContinuousClock.now < end { isTaken = pool.submit(.long) { done.open(for: 1) } }
        #expect(isTaken && done.isPassed(1))
    }

    @Test("Nobody waits behind a slow job while a worker is free")
    func oneLine() {
        let pool = WorkerPool(limits: .init(workers: 4, waitingJobs: 1_000))
        let gate = Gate()
        defer { gate.open(for: 3) }
        let done = Gate()
        for _ in 0..<3 { #expect(pool.submit { gate.pass() }) }
        for _ in 0..<400 { #expect(pool.submit { done.open(for: 1) }) }
        #expect(done.isPassed(400))
    }

    @Test("What is large leaves workers to the rest, and gets its turn")
    func largeJobs() {
        let pool = WorkerPool(limits: .init(workers: 4, waitingJobs: 1_000))
        let gate = Gate()
        let done = Gate()
        for _ in 0..<20 {
            #expect(
                pool.submit(.large) {
                    gate.pass(); done.open(for: 1)
                })
        }
        let usual = Gate()
        for _ in 0..<100 { #expect(pool.submit { usual.open(for: 1) }) }
        #expect(usual.isPassed(100))
        gate.open(for: 20)
        #expect(done.isPassed(20))
    }

    @Test("The end of work that was taken is taken however much waits, and before it")
    func finishing() {
        let pool = WorkerPool(limits: .init(workers: 1, waitingJobs: 2))
        let gate = Gate()
        defer { gate.open(for: 1) }
        let order = Locked<[String]>([])
        let done = Gate()
        #expect(pool.submit { gate.pass() })
        #expect(
            pool.submit {
                order.withLock { $0.append("next") }
                done.open(for: 1)
            })
        #expect(!pool.submit {})
        pool.finish { order.withLock { $0.append("end") } }
        gate.open(for: 1)
        #expect(done.isPassed(1))
        #expect(order.withLock { $0 } == ["end", "next"])
    }

    @Test("An answer grows beyond its block and is JSON where it must be")
    func answers() {
        var answer = ByteBuffer(capacity: 64)
        for _ in 0..<100 { answer.append("0123456789") }
        #expect(answer.count == 1_000)
        answer.reset()
        answer.append(jsonString: "a\"\\\n\u{1}é")
        answer.append([1, 2])
        answer.truncate(to: answer.count - 2)
        #expect(String(decoding: answer.readable, as: UTF8.self) == #""a\"\\\n\u0001é""#)
    }
}

/// Holds jobs up, or tells that they have come by: nobody waits at it for ever, so that a fault fails a test.
private struct Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open(for count: Int) { for _ in 0..<count { semaphore.signal() } }

    func pass() { semaphore.wait() }

    /// Whether so many have come by within ten seconds.
    func isPassed(_ count: Int) -> Bool {
        let end = DispatchTime.now() + .seconds(10)
        return (0..<count).allSatisfy { _ in semaphore.wait(timeout: end) == .success }
    }
}
