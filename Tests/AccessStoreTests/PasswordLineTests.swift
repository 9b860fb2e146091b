import Dispatch
import Platform
import Testing

@testable import AccessStore

@Suite("The line of passwords")
struct PasswordLineTests {
    @Test("One works at a time; how many wait is bounded, in all, of strangers, and of each address")
    func bounds() {
        let line = PasswordLine()
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchGroup()
        let running = Locked((now: 0, most: 0))
        func submit(_ origin: PasswordLine.Origin) -> Bool {
            done.enter()
            let isTaken = line.submit(origin) {
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                gate.wait()
                running.withLock { $0.now -= 1 }
                done.leave()
            }
            if !isTaken { done.leave() }
            return isTaken
        }
        #expect((0..<6).map { _ in submit(.stranger(1)) } == [true, true, true, true, false, false])
        #expect((2..<20).count { submit(.stranger(UInt64($0))) } == 8)
        #expect((0..<9).count { _ in submit(.caller) } == 4)
        for _ in 0..<16 { gate.signal() }
        done.wait()
        #expect(running.withLock { $0.most } == 1)
        // Whoever came too late comes again.
        for _ in 0..<5 { gate.signal() }
        #expect(submit(.stranger(1)) && submit(.caller))
        done.wait()
    }
}
