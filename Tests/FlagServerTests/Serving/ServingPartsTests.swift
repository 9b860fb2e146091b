import Dispatch
import Glibc
import Lock
import Testing

@testable import FlagServer

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
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<3 {
            #expect(
                pool.submit {
                    gate.wait(); done.signal()
                })
        }
        #expect(!pool.submit {})
        // A kill switch does not wait for anything.
        let urgent = DispatchSemaphore(value: 0)
        #expect(pool.submit(.urgent) { urgent.signal() })
        urgent.wait()
        // Nor does anything wait for what is long, of which there may be less.
        for _ in 0..<8 { #expect(pool.submit(.long) {}) }
        for _ in 0..<3 { gate.signal() }
        for _ in 0..<3 { done.wait() }
        while pool.jobCount > 0 { sched_yield() }
        #expect(pool.submit { done.signal() })
        done.wait()
    }

    @Test("Nobody waits behind a slow job while a worker is free")
    func oneLine() {
        let pool = WorkerPool(limits: .init(workers: 4, waitingJobs: 1_000))
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<3 { #expect(pool.submit { gate.wait() }) }
        for _ in 0..<400 { #expect(pool.submit { done.signal() }) }
        for _ in 0..<400 { done.wait() }
        for _ in 0..<3 { gate.signal() }
    }

    @Test("What is large leaves workers to the rest, and gets its turn")
    func largeJobs() {
        let pool = WorkerPool(limits: .init(workers: 4, waitingJobs: 1_000))
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<20 {
            #expect(
                pool.submit(.large) {
                    gate.wait(); done.signal()
                })
        }
        for _ in 0..<100 { #expect(pool.submit { done.signal() }) }
        for _ in 0..<100 { done.wait() }
        for _ in 0..<20 { gate.signal() }
        for _ in 0..<20 { done.wait() }
    }

    @Test("The end of work that was taken is taken however much waits, and before it")
    func finishing() {
        let pool = WorkerPool(limits: .init(workers: 1, waitingJobs: 2))
        let gate = DispatchSemaphore(value: 0)
        let order = Locked<[String]>([])
        let done = DispatchSemaphore(value: 0)
        #expect(pool.submit { gate.wait() })
        #expect(
            pool.submit {
                order.withLock { $0.append("next") }; done.signal()
            })
        #expect(!pool.submit {})
        pool.finish { order.withLock { $0.append("end") } }
        gate.signal()
        done.wait()
        #expect(order.withLock { $0 } == ["end", "next"])
    }

    @Test("An answer grows beyond its block and is JSON where it must be")
    func answers() {
        var answer = AnswerBuffer(capacity: 64)
        for _ in 0..<100 { answer.append("0123456789") }
        #expect(answer.count == 1_000)
        answer.reset()
        answer.append(jsonString: "a\"\\\n\u{1}é")
        answer.append([1, 2])
        answer.truncate(to: answer.count - 2)
        #expect(String(decoding: answer.bytes, as: UTF8.self) == #""a\"\\\n\u0001é""#)
    }
}
